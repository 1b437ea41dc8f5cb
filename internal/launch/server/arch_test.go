package server

import "runtime"

// arch is this machine as audit records name it.
var arch = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
