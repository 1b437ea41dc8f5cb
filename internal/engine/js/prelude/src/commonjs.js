// CommonJS for what a bundler leaves: files of the package with module, exports
// and require. A file that ends in .cjs is one when it is imported, and what such
// a file requires is one too, unless it is JSON.
const { findModule, moduleFunction, packageText } = host;
const { parse } = JSON;
const { apply, ownKeys, getOwnPropertyDescriptor } = Reflect;
const uncurry = (f) => (self, ...args) => apply(f, self, args);
const endsWith = uncurry(String.prototype.endsWith), slice = uncurry(String.prototype.slice), lastIndexOf = uncurry(String.prototype.lastIndexOf);
const loaded = new Map();
const get = loaded.get.bind(loaded), put = loaded.set.bind(loaded), remove = loaded.delete.bind(loaded);
const OwnTypeError = TypeError;

const requireFor = (importer) =>
  function require(specifier) {
    if (typeof specifier !== "string") throw new OwnTypeError("require: the argument is not a string");
    return load(findModule(importer, specifier)).exports;
  };

const run = (module, file) => {
  if (endsWith(file, ".json")) {
    module.exports = parse(packageText(file));
    return;
  }
  if (endsWith(file, ".mjs")) throw new OwnTypeError(`cannot require ${file}: it is an ES module`);
  const { exports } = module;
  apply(moduleFunction(file), exports, [exports, requireFor(file), module, `/${file}`, `/${slice(file, 0, lastIndexOf(file, "/") + 1)}`]);
};

// load is the module in a file, which is run once. Files that require each other
// get what there is so far.
const load = (file) => {
  let module = get(file);
  if (module !== undefined) return module;
  module = { id: file, filename: `/${file}`, loaded: false, exports: {} };
  put(file, module);
  try {
    run(module, file);
  } catch (error) {
    remove(file);
    throw error;
  }
  module.loaded = true;
  return module;
};

// host.commonjs runs a file and returns what an import of it gets: module.exports
// as default, and its own members by name.
host.commonjs = (file) => {
  const { exports } = load(file);
  const members = { __proto__: null };
  if ((typeof exports === "object" && exports !== null) || typeof exports === "function") {
    for (const key of ownKeys(exports)) {
      if (typeof key === "string" && getOwnPropertyDescriptor(exports, key)?.enumerable) members[key] = exports[key];
    }
  }
  members.default = exports;
  return members;
};
