const { half } = require("./half");
exports.quarter = (n) => half(half(n));
exports.data = require("./data.json").name;
exports.sloppy = (function () { return this !== undefined; })();
