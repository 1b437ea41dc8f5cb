package supervisor

import (
	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// program is what an instance runs: a package, or a directory that came with
// the start. Nothing of it changes.
type program struct {
	pack    *pack // nil for a directory
	role    launch.Role
	app     mp.AppID
	name    string
	version string
	entry   string
	limits  bundle.Limits // what its manifest asks for
	args    []string      // for RoleWasm: after its own name
	native  *wire.Native  // for RoleNative: how it is executed
	only    []string      // for RoleNative: of the role's system calls; nil for all
	learn   bool
}

// packaged is the program of a package.
func packaged(p *pack) program {
	m := p.Manifest
	role := launch.RoleJS
	if m.Vendor.Runtime == bundle.RuntimeWasm {
		role = launch.RoleWasm
	}
	return program{
		pack: p, role: role, app: m.AppID, name: m.Name, version: m.Version.Name,
		entry: m.Vendor.Entry, limits: m.Vendor.Limits,
	}
}

// digest is the package's; the zero value for a directory, whose content nobody
// has looked at.
func (p *program) digest() mp.Digest {
	if p.pack == nil {
		return mp.Digest{}
	}
	return p.pack.Digest
}

// digestText is the digest as the control API has it: "" for a directory.
func (p *program) digestText() string {
	if p.pack == nil {
		return ""
	}
	return p.pack.Digest.String()
}

// runtime is the runtime as manifests have it.
func (p *program) runtime() string {
	switch p.role {
	case launch.RoleNative:
		return bundle.RuntimeNative
	case launch.RoleWasm, launch.RoleWasmCompile:
		return bundle.RuntimeWasm
	}
	return bundle.RuntimeJS
}

// wasm is what a module of WebAssembly runs with; nil for the other runtimes.
func (p *program) wasm(l mp.Limits) *wire.Wasm {
	if p.runtime() != bundle.RuntimeWasm {
		return nil
	}
	return &wire.Wasm{Args: p.args, TmpBytes: l.TmpBytes, TmpFiles: l.TmpFiles, Compile: p.role == launch.RoleWasmCompile}
}
