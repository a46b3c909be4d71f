package main

import (
	"encoding/json"
	"fmt"
	"sort"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The parts of `terraform providers schema -json` that are served.

type attributeJSON struct {
	Type   json.RawMessage `json:"type"`
	Nested *struct {
		Attributes map[string]attributeJSON `json:"attributes"`
		Mode       string                   `json:"nesting_mode"`
	} `json:"nested_type"`
	Required  bool `json:"required"`
	Optional  bool `json:"optional"`
	Computed  bool `json:"computed"`
	Sensitive bool `json:"sensitive"`
	WriteOnly bool `json:"write_only"`
}

type blockJSON struct {
	Attributes map[string]attributeJSON `json:"attributes"`
	Blocks     map[string]struct {
		Mode     string    `json:"nesting_mode"`
		Block    blockJSON `json:"block"`
		MinItems int64     `json:"min_items"`
		MaxItems int64     `json:"max_items"`
	} `json:"block_types"`
}

type schemaJSON struct {
	Version int64     `json:"version"`
	Block   blockJSON `json:"block"`
}

type providerJSON struct {
	Provider    schemaJSON            `json:"provider"`
	Resources   map[string]schemaJSON `json:"resource_schemas"`
	DataSources map[string]schemaJSON `json:"data_source_schemas"`
	Ephemerals  map[string]schemaJSON `json:"ephemeral_resource_schemas"`
}

type schemas struct {
	provider                           *tfprotov6.Schema
	resources, dataSources, ephemerals map[string]*tfprotov6.Schema
}

var objectModes = map[string]tfprotov6.SchemaObjectNestingMode{
	"single": tfprotov6.SchemaObjectNestingModeSingle,
	"list":   tfprotov6.SchemaObjectNestingModeList,
	"set":    tfprotov6.SchemaObjectNestingModeSet,
	"map":    tfprotov6.SchemaObjectNestingModeMap,
}

var blockModes = map[string]tfprotov6.SchemaNestedBlockNestingMode{
	"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov6.SchemaNestedBlockNestingModeList,
	"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
	"map":    tfprotov6.SchemaNestedBlockNestingModeMap,
	"group":  tfprotov6.SchemaNestedBlockNestingModeGroup,
}

func names[T any](members map[string]T) []string {
	list := make([]string, 0, len(members))
	for name := range members {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}

func attributes(members map[string]attributeJSON) ([]*tfprotov6.SchemaAttribute, error) {
	var list []*tfprotov6.SchemaAttribute
	for _, name := range names(members) {
		from := members[name]
		to := &tfprotov6.SchemaAttribute{Name: name, Required: from.Required, Optional: from.Optional, Computed: from.Computed,
			Sensitive: from.Sensitive, WriteOnly: from.WriteOnly}
		if from.Nested != nil {
			inner, err := attributes(from.Nested.Attributes)
			if err != nil {
				return nil, err
			}
			to.NestedType = &tfprotov6.SchemaObject{Attributes: inner, Nesting: objectModes[from.Nested.Mode]}
		} else {
			//nolint:staticcheck // the form of the schema file is the one that this function reads
			kind, err := tftypes.ParseJSONType(from.Type)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			to.Type = kind
		}
		list = append(list, to)
	}
	return list, nil
}

func block(from blockJSON) (*tfprotov6.SchemaBlock, error) {
	known, err := attributes(from.Attributes)
	if err != nil {
		return nil, err
	}
	to := &tfprotov6.SchemaBlock{Attributes: known}
	for _, name := range names(from.Blocks) {
		nested := from.Blocks[name]
		inner, err := block(nested.Block)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		to.BlockTypes = append(to.BlockTypes, &tfprotov6.SchemaNestedBlock{TypeName: name, Block: inner,
			Nesting: blockModes[nested.Mode], MinItems: nested.MinItems, MaxItems: nested.MaxItems})
	}
	return to, nil
}

func schema(from schemaJSON) (*tfprotov6.Schema, error) {
	inner, err := block(from.Block)
	return &tfprotov6.Schema{Version: from.Version, Block: inner}, err
}

func all(from map[string]schemaJSON) (map[string]*tfprotov6.Schema, error) {
	to := make(map[string]*tfprotov6.Schema, len(from))
	for name, one := range from {
		known, err := schema(one)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		to[name] = known
	}
	return to, nil
}

func (from providerJSON) schemas() (to schemas, err error) {
	if to.provider, err = schema(from.Provider); err != nil {
		return to, err
	}
	if to.resources, err = all(from.Resources); err != nil {
		return to, err
	}
	if to.dataSources, err = all(from.DataSources); err != nil {
		return to, err
	}
	to.ephemerals, err = all(from.Ephemerals)
	return to, err
}
