package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func objectOf(value tftypes.Value) map[string]tftypes.Value {
	members := map[string]tftypes.Value{}
	if value.IsKnown() && !value.IsNull() {
		_ = value.As(&members) // nil where it is no object
	}
	return members
}

func textOf(value tftypes.Value) string {
	var text string
	if value.Type() == nil || !value.Type().Is(tftypes.String) || !value.IsKnown() || value.IsNull() || value.As(&text) != nil {
		return ""
	}
	return text
}

// A value for people and tests: what Go's JSON makes of it. What is unknown is null.
func plain(value tftypes.Value) any {
	if !value.IsKnown() || value.IsNull() {
		return nil
	}
	switch {
	case value.Type().Is(tftypes.String):
		return textOf(value)
	case value.Type().Is(tftypes.Bool):
		var truth bool
		_ = value.As(&truth)
		return truth
	case value.Type().Is(tftypes.Number):
		number := new(big.Float)
		_ = value.As(&number)
		plain, _ := number.Float64()
		return plain
	}
	var list []tftypes.Value
	if value.As(&list) == nil {
		out := make([]any, 0, len(list))
		for _, item := range list {
			out = append(out, plain(item))
		}
		return out
	}
	out := map[string]any{}
	for name, member := range objectOf(value) {
		out[name] = plain(member)
	}
	return out
}

// --- planning: what the cloud will choose is unknown ---

func planAttributes(list []*tfprotov6.SchemaAttribute, members map[string]tftypes.Value) {
	for _, attribute := range list {
		value, there := members[attribute.Name]
		switch {
		case !there:
		case attribute.WriteOnly:
			members[attribute.Name] = tftypes.NewValue(attribute.ValueType(), nil) // in no plan and no state
		case value.IsKnown() && value.IsNull() && attribute.Computed:
			members[attribute.Name] = tftypes.NewValue(attribute.ValueType(), tftypes.UnknownValue)
		case attribute.NestedType != nil:
			members[attribute.Name] = each(value, func(object map[string]tftypes.Value) { planAttributes(attribute.NestedType.Attributes, object) })
		}
	}
}

func planBlock(schema *tfprotov6.SchemaBlock, members map[string]tftypes.Value) {
	planAttributes(schema.Attributes, members)
	for _, nested := range schema.BlockTypes {
		if value, there := members[nested.TypeName]; there {
			members[nested.TypeName] = each(value, func(object map[string]tftypes.Value) { planBlock(nested.Block, object) })
		}
	}
}

// Changes every object in a value that is one, or a list, set or map of them.
func each(value tftypes.Value, change func(map[string]tftypes.Value)) tftypes.Value {
	if !value.IsKnown() || value.IsNull() {
		return value
	}
	if value.Type().Is(tftypes.Object{}) {
		members := objectOf(value)
		change(members)
		return tftypes.NewValue(value.Type(), members)
	}
	var list []tftypes.Value
	if value.As(&list) == nil {
		for i := range list {
			list[i] = each(list[i], change)
		}
		return tftypes.NewValue(value.Type(), list)
	}
	members := objectOf(value)
	for name := range members {
		members[name] = each(members[name], change)
	}
	return tftypes.NewValue(value.Type(), members)
}

func plan(schema *tfprotov6.Schema, proposed tftypes.Value) tftypes.Value {
	return each(proposed, func(members map[string]tftypes.Value) { planBlock(schema.Block, members) })
}

// --- applying: what is unknown is invented ---

type inventor struct {
	id   string
	seed string
}

func (i inventor) text(name string) string {
	mark := digest(i.seed + "/" + name)
	switch {
	case name == "id":
		return i.id
	case name == "unique_id": // of one that is made anew, a new one
		mark = digest(mark + time.Now().String())
	case strings.HasSuffix(name, "address") || strings.HasSuffix(name, "_ip"):
		return fmt.Sprintf("192.0.2.%d", 1+int(mark[0])+int(mark[1])) // RFC 5737: for documentation
	}
	return "invented-" + strings.ReplaceAll(name, "_", "-") + "-" + mark[:8]
}

func (i inventor) value(name string, kind tftypes.Type) tftypes.Value {
	switch {
	case kind.Is(tftypes.String):
		return tftypes.NewValue(kind, i.text(name))
	case kind.Is(tftypes.Number):
		return tftypes.NewValue(kind, 1)
	case kind.Is(tftypes.Bool):
		return tftypes.NewValue(kind, false)
	}
	switch of := kind.(type) {
	case tftypes.List:
		return tftypes.NewValue(kind, i.items(name, of.ElementType))
	case tftypes.Set:
		return tftypes.NewValue(kind, i.items(name, of.ElementType))
	case tftypes.Map:
		return tftypes.NewValue(kind, map[string]tftypes.Value{})
	case tftypes.Object:
		members := map[string]tftypes.Value{}
		for member, inner := range of.AttributeTypes {
			members[member] = i.value(member, inner)
		}
		return tftypes.NewValue(kind, members)
	}
	return tftypes.NewValue(kind, nil)
}

// Three texts, for lists of zones and the like; one of anything else.
func (i inventor) items(name string, kind tftypes.Type) []tftypes.Value {
	if !kind.Is(tftypes.String) {
		return []tftypes.Value{i.value(name, kind)}
	}
	var list []tftypes.Value
	for n := 1; n <= 3; n++ {
		list = append(list, tftypes.NewValue(kind, fmt.Sprintf("%s-%d", i.text(name), n)))
	}
	return list
}

func (i inventor) fill(value tftypes.Value) (tftypes.Value, error) {
	return tftypes.Transform(value, func(path *tftypes.AttributePath, part tftypes.Value) (tftypes.Value, error) {
		if part.IsKnown() {
			return part, nil
		}
		name := "value"
		steps := path.Steps()
		for at := len(steps) - 1; at >= 0; at-- {
			if step, named := steps[at].(tftypes.AttributeName); named {
				name = string(step)
				break
			}
		}
		return i.value(name, part.Type()), nil
	})
}
