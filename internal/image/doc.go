// Package image keeps the heap images of programs: those of packages, with which
// every further start begins, and those of hibernated programs, with what it takes
// to go on with them after a restart of the supervisor.
//
// Everything that is in the store's directory, but for copies of packages, is
// sealed: AES-256-GCM under a key that lies beside it (mode 0600) and is made when
// it is first needed. What an image is of is bound to it as additional data: its
// kind, the application, the package, the build of the worker that wrote it, the
// program that owns it, and a number that is never used again. So a file that was
// changed, cut off, swapped for another or put back after its use is refused, and
// refused before a byte of it is handed out. Copies of packages are known by their
// digest, which the registry holds.
//
// The image of a hibernated program is good for one use: Take strikes it off the
// registry, durably, before it looks at it.
//
// Do not assume that the store is safe from whoever can read the key, nor that it
// notices when the whole directory is put back to an earlier state: nothing outside
// of it says how late it is.
package image
