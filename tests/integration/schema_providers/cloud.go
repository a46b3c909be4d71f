package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// What is there, a file a resource; without a folder nothing is remembered.
type cloud struct {
	folder, fail string
}

type kept struct {
	Type  string         `json:"type"`
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Given map[string]any `json:"given"` // as configured, write-only arguments too
	State []byte         `json:"state"` // as MessagePack
}

// By what a resource is told from another of its type: its own name, and where it lies.
var (
	nameAttributes  = []string{"name", "account_id", "secret_id", "bucket_id", "role_id"}
	placeAttributes = []string{"project", "location", "region", "zone", "resource_group_name", "virtual_network_name", "key_vault_id",
		"server_id", "key_ring", "instance", "router", "network_security_group_name"}
)

// A member of a policy has none, whatever it is a member of: giving a right twice gives it once.
func nameOf(kind string, members map[string]tftypes.Value) string {
	if strings.HasSuffix(kind, "_iam_member") {
		return ""
	}
	for _, attribute := range nameAttributes {
		if text := textOf(members[attribute]); text != "" {
			return text
		}
	}
	return ""
}

// The same resource has the same id in every run, so that an import after a cut-off create finds it.
func inventorOf(kind string, config tftypes.Value) inventor {
	members := objectOf(config)
	name := nameOf(kind, members)
	if name == "" {
		return inventor{id: "/" + kind + "/" + digest(fmt.Sprint(plain(config)))[:12], seed: kind + fmt.Sprint(plain(config))}
	}
	seed := kind + "/" + name
	for _, attribute := range placeAttributes {
		seed += "/" + textOf(members[attribute])
	}
	return inventor{id: "/" + kind + "/" + digest(seed)[:12] + "/" + name, seed: seed}
}

func (c cloud) file(kind, id string) string {
	return filepath.Join(c.folder, kind+"."+digest(id)[:16]+".json")
}

func (c cloud) read(kind, id string) (found kept, there bool, err error) {
	text, err := os.ReadFile(c.file(kind, id))
	if errors.Is(err, os.ErrNotExist) {
		return found, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	return found, err == nil, err
}

func (c cloud) write(kind, id string, config, state tftypes.Value) error {
	if c.folder == "" {
		return nil
	}
	packed, err := tfprotov6.NewDynamicValue(state.Type(), state)
	if err != nil {
		return err
	}
	given, _ := plain(config).(map[string]any)
	text, err := json.MarshalIndent(kept{Type: kind, ID: id, Name: nameOf(kind, objectOf(config)), Given: given, State: packed.MsgPack}, "", " ")
	if err != nil {
		return err
	}
	// Whole or not at all: tests kill whoever writes.
	if err := os.WriteFile(c.file(kind, id)+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(c.file(kind, id)+".new", c.file(kind, id))
}

func (c cloud) remove(kind, id string) {
	if c.folder != "" {
		_ = os.Remove(c.file(kind, id)) // gone already is as good
	}
}

// What an id in the cloud's own words means here: it ends with the resource's name, or with an address made of it.
func (c cloud) find(kind, id string) (kept, bool) {
	last, _, _ := strings.Cut(id[strings.LastIndex(id, "/")+1:], "@")
	files, _ := filepath.Glob(filepath.Join(c.folder, kind+".*.json"))
	for _, file := range files {
		var one kept
		if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &one) == nil &&
			(one.ID == id || (one.Name != "" && one.Name == last)) {
			return one, true
		}
	}
	return kept{}, false
}

// In the clouds' own words, which the provisioner looks for.
func (c cloud) conflict(kind, id, name string) string {
	if strings.HasPrefix(kind, "azurerm_") {
		return fmt.Sprintf("A resource with the ID %q already exists - to be managed via Terraform this resource needs to be imported into the State.", id)
	}
	return fmt.Sprintf("Error creating %s: googleapi: Error 409: The resource '%s' already exists, alreadyExists", kind, name)
}

func (c cloud) create(kind string, made inventor, config, state tftypes.Value) error {
	lost := strings.TrimPrefix(c.fail, "lost:")
	if c.fail == kind || c.fail == "*" {
		return fmt.Errorf("creating %s was cut off", kind)
	}
	name := nameOf(kind, objectOf(config))
	if c.folder != "" && name != "" {
		if _, there, err := c.read(kind, made.id); err != nil || there {
			return errors.Join(err, errors.New(c.conflict(kind, made.id, name)))
		}
	}
	if err := c.write(kind, made.id, config, state); err != nil {
		return err
	}
	if lost == kind {
		return fmt.Errorf("%s was made, and the answer was lost", kind)
	}
	return nil
}

func (c cloud) update(kind string, made inventor, config, state tftypes.Value) error {
	if c.fail == "update:"+kind {
		return fmt.Errorf("changing %s was cut off", kind)
	}
	return c.write(kind, made.id, config, state)
}
