// A Terraform provider that has a schema and no cloud: what `terraform providers schema -json` prints, in a file beside the
// program called PROGRAM.json, is served as it is. Values that a cloud would choose are invented from the names of their
// attributes. That is enough for init, validate, plan, apply, destroy and test without the provider and without an account.
//
// Two settings of the environment make it a cloud that remembers, for tests of what is left after a deploy was cut off:
//
//	FRAISEQL_SCHEMA_CLOUD=DIR   keeps every resource as a file of DIR. Creating what exists fails as in the real cloud,
//	                            reading what is gone finds nothing, and an import finds a resource by the end of its id.
//	FRAISEQL_SCHEMA_FAIL=TYPE   creating a TYPE (or *, any) fails; with "lost:" before it, after the cloud has made it.
//	                            With "update:" before it, changing one fails.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

func serve() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(program + ".json")
	if err != nil {
		return err
	}
	var file struct {
		Providers map[string]providerJSON `json:"provider_schemas"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("%s.json: %w", program, err)
	}
	if len(file.Providers) != 1 {
		return fmt.Errorf("%s.json has the schemas of %d providers, not of one", program, len(file.Providers))
	}
	for source, schemas := range file.Providers {
		known, err := schemas.schemas()
		if err != nil {
			return fmt.Errorf("%s.json: %w", program, err)
		}
		server := &provider{schemas: known, cloud: cloud{folder: os.Getenv("FRAISEQL_SCHEMA_CLOUD"), fail: os.Getenv("FRAISEQL_SCHEMA_FAIL")}}
		return tf6server.Serve(source, func() tfprotov6.ProviderServer { return server })
	}
	return nil
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
