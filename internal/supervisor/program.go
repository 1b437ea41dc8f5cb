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
	native  *wire.Native  // for RoleNative: how it is executed
	only    []string      // for RoleNative: of the role's system calls; nil for all
	learn   bool
}

// packaged is the program of a package.
func packaged(p *pack) program {
	m := p.Manifest
	return program{
		pack: p, role: launch.RoleJS, app: m.AppID, name: m.Name, version: m.Version.Name,
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
	if p.role == launch.RoleNative {
		return bundle.RuntimeNative
	}
	return bundle.RuntimeJS
}
