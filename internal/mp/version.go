package mp

// Version is the version that the three programs were built from. The build
// sets it (-ldflags -X); programs of different versions do not start together.
var Version = "devel"
