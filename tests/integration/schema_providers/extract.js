// Prints the schema of a Terraform provider, in the form of `terraform providers schema -json`, from the npm package
// @cdktf/provider-NAME: its classes are run against a small library of our own that writes down what they ask it for.
//
//   node extract.js PACKAGE_FOLDER ADDITIONS.json >NAME.schema.json
//
// A class has for every attribute a getter, which says the attribute's name and type; a setter where it can be given; and
// a reset method where it need not be. synthesizeHclAttributes() and the functions *ToHclTerraform say what is a block.
// What the packages leave out (ephemeral resources, and which optional attributes the cloud fills in) is in ADDITIONS.
"use strict";

const fs = require("fs");
const path = require("path");
const Module = require("module");

const DEPTH_MAX = 12; // Web ACLs and the like nest for ever; nobody tests those here.

// --- what the classes ask for ---

// Keys of ours, which no attribute's name can clash with.
const META = Symbol("meta"), ASKED = Symbol("asked"), FROM_SET = Symbol("from set"), ELEMENTS = Symbol("elements");

// An answer of a getter: the attribute behind it.
class Asked {
    constructor(name, type) {
        this.name = name;
        this.type = type;
    }
}

class Attributes {
    getStringAttribute(name) { return new Asked(name, "string"); }
    getNumberAttribute(name) { return new Asked(name, "number"); }
    getBooleanAttribute(name) { return new Asked(name, "bool"); }
    getListAttribute(name) { return new Asked(name, ["list", "string"]); }
    getNumberListAttribute(name) { return new Asked(name, ["list", "number"]); }
    getStringMapAttribute(name) { return new Asked(name, ["map", "string"]); }
    getNumberMapAttribute(name) { return new Asked(name, ["map", "number"]); }
    getBooleanMapAttribute(name) { return new Asked(name, ["map", "bool"]); }
    getAnyMapAttribute(name) { return new Asked(name, ["map", "dynamic"]); }
    interpolationForAttribute(name) { return new Asked(name, "dynamic"); }
}

class Element extends Attributes {
    constructor(parent, name, fromSet) {
        super();
        this[ASKED] = name;
        this[FROM_SET] = fromSet === true;
    }
    // The values are of no interest, and the classes' own setters want whole ones.
    set resolvableValue(_) {}
    get resolvableValue() { return undefined; }
}
class ComplexObject extends Element {}
class ComplexList extends Element {}
class ComplexMap extends Element {}

function primitive(type) {
    return class extends Element {
        get [ELEMENTS]() { return type; }
    };
}

class Construct extends Attributes {
    constructor(scope, id, meta) {
        super();
        this[META] = meta;
    }
}
class TerraformResource extends Construct {}
class TerraformDataSource extends Construct {}
class TerraformProvider extends Construct {}

function asSet(asked) {
    return asked instanceof Asked && Array.isArray(asked.type) ? new Asked(asked.name, ["set", asked.type[1]]) : asked;
}

// A converter leaves its own name behind as the value, which is never undefined: unset values drop out of the synthesis.
function converter(type) {
    return Object.assign(() => ({ converted: type }), { type });
}
function listOf(inner) {
    return converter(["list", inner.type || "dynamic"]);
}
function mapOf(inner) {
    return converter(["map", inner.type || "dynamic"]);
}

const library = {
    TerraformResource, TerraformDataSource, TerraformProvider, ComplexObject, ComplexList, ComplexMap,
    StringMap: primitive(["map", "string"]), NumberMap: primitive(["map", "number"]), BooleanMap: primitive(["map", "bool"]),
    AnyMap: primitive(["map", "dynamic"]), StringListMap: primitive(["map", ["list", "string"]]),
    MapList: primitive(["list", ["map", "string"]]), StringMapList: primitive(["list", ["map", "string"]]),
    ImportableResource: class {},
    Fn: { tolist: asSet },
    Token: { asList: (x) => x, asNumberList: (x) => x, asString: (x) => x, asNumber: (x) => x, asAny: (x) => x },
    Tokenization: { isResolvable: () => false },
    canInspect: () => true,
    isComplexElement: () => false,
    stringToHclTerraform: converter("string"), numberToHclTerraform: converter("number"),
    booleanToHclTerraform: converter("bool"), anyToHclTerraform: converter("dynamic"),
    stringToTerraform: converter("string"), numberToTerraform: converter("number"),
    booleanToTerraform: converter("bool"), anyToTerraform: converter("dynamic"),
    listMapper: listOf, listMapperHcl: listOf, hashMapper: mapOf, hashMapperHcl: mapOf,
};

const load = Module._load;
Module._load = function (name, ...more) {
    return name === "cdktf" ? library : name === "constructs" ? {} : load.call(this, name, ...more);
};

// --- from classes to schemas ---

function getters(instance) {
    const own = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(instance));
    // "fooInput" gives back what was put into "foo"; "liveInput" alone is an attribute.
    const echo = (name) => name.endsWith("Input") && own[name.slice(0, -"Input".length)];
    return Object.entries(own).filter(([name, entry]) => entry.get && !echo(name) && name !== "internalValue");
}

function flags(instance, name, setter) {
    const prototype = Object.getPrototypeOf(instance);
    const upper = name[0].toUpperCase() + name.slice(1);
    const given = Boolean(setter) || typeof prototype["put" + upper] === "function";
    if (!given)
        return { computed: true };
    return typeof prototype["reset" + upper] === "function" ? { optional: true } : { required: true };
}

// What an element's getter gives: its objects, and how many there may be.
function inside(exports, element) {
    if (element[ELEMENTS])
        return { type: element[ELEMENTS] };
    if (element instanceof ComplexObject)
        return { mode: "single", object: element };
    const object = element.get(element instanceof ComplexMap ? "key" : 0);
    return { mode: element instanceof ComplexMap ? "map" : element[FROM_SET] ? "set" : "list", object };
}

function typeOf(block) {
    const members = {};
    for (const [name, attribute] of Object.entries(block.attributes || {}))
        members[name] = attribute.type || nestedType(attribute.nested_type);
    for (const [name, nested] of Object.entries(block.block_types || {}))
        members[name] = wrap(nested.nesting_mode, typeOf(nested.block));
    return ["object", members];
}

function wrap(mode, type) {
    return mode === "single" ? type : [mode, type];
}

function nestedType(nested) {
    return wrap(nested.nesting_mode, typeOf({ attributes: nested.attributes }));
}

// `inputs` is what the synthesis says of the members that can be given: {name: {isBlock, type, storageClassType}}.
function describe(exports, instance, inputs, nestedAttributes, depth) {
    const block = { attributes: {}, block_types: {} };
    for (const [name, entry] of getters(instance)) {
        const answer = entry.get.call(instance);
        const element = answer instanceof Element ? answer : null;
        if (!element && !(answer instanceof Asked))
            continue;
        const attribute = element ? element[ASKED] : answer.name;
        const given = flags(instance, name, entry.set);
        const input = inputs[attribute];
        if (!element) {
            const type = input && input.type === "set" ? ["set", answer.type[1]] : answer.type;
            const better = type === "dynamic" && input && input.value ? input.value.converted : type;
            block.attributes[attribute] = { type: better, ...given };
            continue;
        }
        const { type, mode, object } = inside(exports, element);
        if (type) {
            block.attributes[attribute] = { type, ...given };
            continue;
        }
        if (depth >= DEPTH_MAX)
            continue;
        const inner = describe(exports, object, synthesized(exports, object), nestedAttributes, depth + 1);
        if (given.computed)
            // The framework's objects are single ones, the older kit has lists only.
            block.attributes[attribute] = { type: wrap(mode, typeOf(inner)), computed: true };
        else if (nestedAttributes && attribute !== "timeouts")
            block.attributes[attribute] = { nested_type: { attributes: attributesOf(inner), nesting_mode: mode }, ...given };
        else
            block.block_types[attribute] = nestedBlock(attribute, mode, input && input.type, inner, given);
    }
    return block;
}

function attributesOf(block) {
    return block.attributes;
}

// The older kit has lists and sets only; of one that may hold a single object, only the synthesis says which it is.
function nestedBlock(name, mode, kind, block, given) {
    if (name === "timeouts")
        return { nesting_mode: "single", block };
    const nested = { nesting_mode: mode !== "single" ? mode : kind === "set" ? "set" : "list", block };
    if (mode === "single")
        nested.max_items = 1;
    if (given.required)
        nested.min_items = 1;
    return nested;
}

// Every property answers with something, at every depth, so that no member looks unset.
const everything = new Proxy({}, { get: (_, name) => (typeof name === "symbol" ? undefined : everything) });

// The function that writes an object is named like its class.
function synthesized(exports, object) {
    const name = object.constructor.name.replace(/OutputReference$/, "");
    const write = exports[name[0].toLowerCase() + name.slice(1) + "ToHclTerraform"];
    return write ? write(everything) : {};
}

function instantiate(Class) {
    const instance = new Class({}, "x", new Proxy({}, { get: () => undefined }));
    const inputs = {};
    // The synthesis reads this._name; as nothing was given, a stand-in answers for every one.
    const stand = new Proxy(instance, {
        get: (target, name) => (typeof name === "string" && name.startsWith("_") ? everything : target[name]),
    });
    Object.assign(inputs, Class.prototype.synthesizeHclAttributes.call(stand));
    return { instance, inputs };
}

function* classes(library) {
    for (const folder of fs.readdirSync(library, { withFileTypes: true })) {
        if (!folder.isDirectory())
            continue;
        const exports = require(path.join(library, folder.name));
        // Big ones keep their structures in files of their own.
        const all = { ...exports };
        for (const file of fs.readdirSync(path.join(library, folder.name)))
            if (/^index-structs.*$/.test(file))
                Object.assign(all, require(path.join(library, folder.name, file)));
        for (const Class of Object.values(exports))
            if (typeof Class === "function" && Class.prototype instanceof Construct)
                yield [Class, all];
    }
}

// --- write-only arguments, and what the packages do not say ---

function finish(block) {
    for (const [name, attribute] of Object.entries(block.attributes)) {
        if (name.endsWith("_wo") && block.attributes[name + "_version"])
            Object.assign(attribute, { write_only: true, sensitive: true });
        if (name === "id" && attribute.optional)
            attribute.computed = true;
    }
    for (const nested of Object.values(block.block_types || {}))
        finish(nested.block);
}

function add(provider, additions) {
    Object.assign(provider.ephemeral_resource_schemas, additions.ephemeral_resource_schemas || {});
    for (const [type, names] of Object.entries(additions.computed || {})) {
        const known = provider.resource_schemas[type];
        for (const name of names) {
            if (!known || !known.block.attributes[name] || !known.block.attributes[name].optional)
                throw new Error(`${type}.${name} is no optional attribute`);
            known.block.attributes[name].computed = true;
        }
    }
}

function main(folder, additionsFile) {
    const provider = { provider: null, resource_schemas: {}, data_source_schemas: {}, ephemeral_resource_schemas: {} };
    const all = JSON.parse(fs.readFileSync(additionsFile, "utf8"));
    const name = path.basename(JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")).name).replace("provider-", "");
    const additions = all[name] || {};
    for (const [Class, exports] of classes(path.join(folder, "lib"))) {
        const { instance, inputs } = instantiate(Class);
        const block = describe(exports, instance, inputs, Boolean(additions.nested_attributes), 0);
        const type = instance[META].terraformResourceType;
        if (instance instanceof TerraformProvider) {
            // Settings can come from the environment, so none is required; its getters give back what was given.
            provider.provider = { version: 0, block: providerBlock(exports, instance, inputs, additions) };
            continue;
        }
        finish(block);
        const into = instance instanceof TerraformDataSource ? provider.data_source_schemas : provider.resource_schemas;
        into[type] = { version: 0, block };
    }
    add(provider, additions);
    const source = `registry.terraform.io/${additions.source}`;
    process.stdout.write(JSON.stringify({ format_version: "1.0", provider_schemas: { [source]: provider } }));
}

function providerBlock(exports, instance, inputs, additions) {
    const block = { attributes: {}, block_types: {} };
    for (const [name, input] of Object.entries(inputs)) {
        if (!input.isBlock) {
            const type = input.value && input.value.converted;
            block.attributes[name] = { type: type && input.type === "set" ? ["set", type[1]] : type || "dynamic", optional: true };
            continue;
        }
        const stem = input.storageClassType.replace(/List$/, "");
        const Reference = exports[stem + "OutputReference"];
        const inner = Reference ? describe(exports, new Reference(instance, name), synthesized(exports, new Reference(instance, name)), Boolean(additions.nested_attributes), 1)
            : plain(exports, stem, 1);
        const mode = input.type === "struct" ? "single" : input.type;
        if (additions.nested_attributes)
            block.attributes[name] = { nested_type: { attributes: inner.attributes, nesting_mode: mode }, optional: true };
        else
            block.block_types[name] = nestedBlock(name, mode, input.type, inner, {});
    }
    return block;
}

// A provider's own blocks have no classes for reading them: what their function writes is all there is.
function plain(exports, stem, depth) {
    const block = { attributes: {}, block_types: {} };
    const write = exports[stem[0].toLowerCase() + stem.slice(1) + "ToHclTerraform"];
    for (const [name, input] of Object.entries(write ? write(everything) : {})) {
        if (input.isBlock && depth < DEPTH_MAX)
            block.block_types[name] = nestedBlock(name, "list", input.type, plain(exports, input.storageClassType.replace(/List$/, ""), depth + 1), {});
        else
            block.attributes[name] = { type: (input.value && input.value.converted) || "dynamic", optional: true };
    }
    return block;
}

main(process.argv[2], process.argv[3]);
