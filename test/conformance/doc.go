// Package conformance runs the project's own checks of the web platform that
// JavaScript programs find, in the engine that the workers run.
//
// The checks are the modules of checks/, one for each area; check.js says what
// they are made of. They are written from the specifications that
// docs/web-platform.md names, and are no replacement for the specifications'
// own test suites: what no check looks at may differ.
package conformance
