// Package memfs is a file system in memory, for one guest of WebAssembly alone:
// files and directories, no links, no permissions, and no more bytes and names
// than it was made with.
//
// It implements the file system interface of wazero, whose errors have no ENOSPC:
// EIO is the answer to a write for which there is no room. It is not safe for
// concurrent use.
package memfs
