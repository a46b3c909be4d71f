package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type provider struct {
	schemas schemas
	cloud   cloud
}

func failed(err error) []*tfprotov6.Diagnostic {
	if err == nil {
		return nil
	}
	return []*tfprotov6.Diagnostic{{Severity: tfprotov6.DiagnosticSeverityError, Summary: err.Error()}}
}

// Decodes what Terraform sent, and encodes what is made of it.
func change(schema *tfprotov6.Schema, packed *tfprotov6.DynamicValue, make func(tftypes.Value) (tftypes.Value, error)) (*tfprotov6.DynamicValue, []*tfprotov6.Diagnostic) {
	value, err := packed.Unmarshal(schema.ValueType())
	if err == nil {
		value, err = make(value)
	}
	if err != nil {
		return nil, failed(err)
	}
	out, err := tfprotov6.NewDynamicValue(schema.ValueType(), value)
	return &out, failed(err)
}

func (p *provider) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	answer := &tfprotov6.GetMetadataResponse{ServerCapabilities: capabilities()}
	for _, name := range names(p.schemas.resources) {
		answer.Resources = append(answer.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for _, name := range names(p.schemas.dataSources) {
		answer.DataSources = append(answer.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	for _, name := range names(p.schemas.ephemerals) {
		answer.EphemeralResources = append(answer.EphemeralResources, tfprotov6.EphemeralResourceMetadata{TypeName: name})
	}
	return answer, nil
}

func capabilities() *tfprotov6.ServerCapabilities {
	return &tfprotov6.ServerCapabilities{GetProviderSchemaOptional: true}
}

func (p *provider) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &tfprotov6.GetProviderSchemaResponse{ServerCapabilities: capabilities(), Provider: p.schemas.provider,
		ResourceSchemas: p.schemas.resources, DataSourceSchemas: p.schemas.dataSources, EphemeralResourceSchemas: p.schemas.ephemerals}, nil
}

func (p *provider) ValidateProviderConfig(_ context.Context, asked *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: asked.Config}, nil
}

func (p *provider) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (p *provider) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

// --- resources ---

func (p *provider) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil // Terraform itself holds it against the schema
}

func (p *provider) UpgradeResourceState(_ context.Context, asked *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	kind := p.schemas.resources[asked.TypeName].ValueType()
	value, err := asked.RawState.UnmarshalWithOpts(kind, tfprotov6.UnmarshalOpts{ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true}})
	if err != nil {
		return &tfprotov6.UpgradeResourceStateResponse{Diagnostics: failed(err)}, nil
	}
	out, err := tfprotov6.NewDynamicValue(kind, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &out, Diagnostics: failed(err)}, nil
}

func (p *provider) ReadResource(_ context.Context, asked *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	schema := p.schemas.resources[asked.TypeName]
	state, problems := change(schema, asked.CurrentState, func(state tftypes.Value) (tftypes.Value, error) {
		if p.cloud.folder == "" {
			return state, nil
		}
		_, there, err := p.cloud.read(asked.TypeName, textOf(objectOf(state)["id"]))
		if err == nil && !there {
			return tftypes.NewValue(schema.ValueType(), nil), nil
		}
		return state, err
	})
	return &tfprotov6.ReadResourceResponse{NewState: state, Diagnostics: problems}, nil
}

func (p *provider) PlanResourceChange(_ context.Context, asked *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	schema := p.schemas.resources[asked.TypeName]
	planned, problems := change(schema, asked.ProposedNewState, func(proposed tftypes.Value) (tftypes.Value, error) { return plan(schema, proposed), nil })
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: planned, Diagnostics: problems, UnsafeToUseLegacyTypeSystem: true}, nil
}

func (p *provider) ApplyResourceChange(_ context.Context, asked *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	schema := p.schemas.resources[asked.TypeName]
	kind := schema.ValueType()
	prior, err := asked.PriorState.Unmarshal(kind)
	if err != nil {
		return &tfprotov6.ApplyResourceChangeResponse{NewState: asked.PriorState, Diagnostics: failed(err)}, nil
	}
	state, problems := change(schema, asked.PlannedState, func(planned tftypes.Value) (tftypes.Value, error) {
		if planned.IsNull() {
			p.cloud.remove(asked.TypeName, textOf(objectOf(prior)["id"]))
			return planned, nil
		}
		config, err := asked.Config.Unmarshal(kind)
		if err != nil {
			return planned, err
		}
		made := inventorOf(asked.TypeName, config)
		if !prior.IsNull() {
			made.id = textOf(objectOf(prior)["id"])
		}
		filled, err := made.fill(planned)
		if err != nil {
			return planned, err
		}
		if prior.IsNull() {
			return filled, p.cloud.create(asked.TypeName, made, config, filled)
		}
		return filled, p.cloud.update(asked.TypeName, made, config, filled)
	})
	if state == nil {
		state = asked.PriorState
	}
	return &tfprotov6.ApplyResourceChangeResponse{NewState: state, Diagnostics: problems, UnsafeToUseLegacyTypeSystem: true}, nil
}

func (p *provider) ImportResourceState(_ context.Context, asked *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	found, there := p.cloud.find(asked.TypeName, asked.ID)
	if !there {
		return &tfprotov6.ImportResourceStateResponse{Diagnostics: failed(fmt.Errorf("Cannot import non-existent remote object %q", asked.ID))}, nil
	}
	return &tfprotov6.ImportResourceStateResponse{ImportedResources: []*tfprotov6.ImportedResource{
		{TypeName: asked.TypeName, State: &tfprotov6.DynamicValue{MsgPack: found.State}}}}, nil
}

func (p *provider) MoveResourceState(_ context.Context, asked *tfprotov6.MoveResourceStateRequest) (*tfprotov6.MoveResourceStateResponse, error) {
	return &tfprotov6.MoveResourceStateResponse{Diagnostics: failed(fmt.Errorf("%s cannot be moved from another type", asked.TargetTypeName))}, nil
}

// --- data sources, ephemeral resources, functions ---

func (p *provider) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (p *provider) ReadDataSource(_ context.Context, asked *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	schema := p.schemas.dataSources[asked.TypeName]
	state, problems := change(schema, asked.Config, func(config tftypes.Value) (tftypes.Value, error) {
		return inventorOf(asked.TypeName, config).fill(plan(schema, config))
	})
	return &tfprotov6.ReadDataSourceResponse{State: state, Diagnostics: problems}, nil
}

func (p *provider) ValidateEphemeralResourceConfig(context.Context, *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov6.ValidateEphemeralResourceConfigResponse{}, nil
}

// Of a resource of the same type and name that is there, the write-only arguments are what it holds.
func (p *provider) OpenEphemeralResource(_ context.Context, asked *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	schema := p.schemas.ephemerals[asked.TypeName]
	result, problems := change(schema, asked.Config, func(config tftypes.Value) (tftypes.Value, error) {
		found, there := p.cloud.find(asked.TypeName, nameOf(asked.TypeName, objectOf(config)))
		if p.cloud.folder != "" && !there {
			return config, fmt.Errorf("there is no %s %s", asked.TypeName, nameOf(asked.TypeName, objectOf(config)))
		}
		planned := each(plan(schema, config), func(members map[string]tftypes.Value) {
			for name := range members {
				if text, given := found.Given[name+"_wo"].(string); given {
					members[name] = tftypes.NewValue(tftypes.String, text)
				}
			}
		})
		return inventorOf(asked.TypeName, config).fill(planned)
	})
	return &tfprotov6.OpenEphemeralResourceResponse{Result: result, Diagnostics: problems}, nil
}

func (p *provider) RenewEphemeralResource(context.Context, *tfprotov6.RenewEphemeralResourceRequest) (*tfprotov6.RenewEphemeralResourceResponse, error) {
	return &tfprotov6.RenewEphemeralResourceResponse{}, nil
}

func (p *provider) CloseEphemeralResource(context.Context, *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	return &tfprotov6.CloseEphemeralResourceResponse{}, nil
}

func (p *provider) CallFunction(_ context.Context, asked *tfprotov6.CallFunctionRequest) (*tfprotov6.CallFunctionResponse, error) {
	return &tfprotov6.CallFunctionResponse{Error: &tfprotov6.FunctionError{Text: asked.Name + " is not known"}}, nil
}

func (p *provider) GetFunctions(context.Context, *tfprotov6.GetFunctionsRequest) (*tfprotov6.GetFunctionsResponse, error) {
	return &tfprotov6.GetFunctionsResponse{Functions: map[string]*tfprotov6.Function{}}, nil
}
