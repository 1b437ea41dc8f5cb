package main

import (
	"fmt"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/launch/server"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
)

// roles makes what the workers of each role get. The filters are compiled here,
// once, and not on the path of a start; all workers share the files.
func roles(o options) (map[launch.Role]server.Role, error) {
	image, err := prelude(o.image)
	if err != nil {
		return nil, err
	}
	pid1, err := filters(compile.Stack(seccomp.RoleInit, nil))
	if err != nil {
		return nil, err
	}
	run, err := filters(compile.Stack(seccomp.RoleWasmRun, nil))
	if err != nil {
		return nil, err
	}
	nothing, err := server.Seal("mpsupervisor-nothing", nil)
	if err != nil {
		return nil, err
	}
	learn := server.Filters{}
	if o.learn {
		if learn, err = filters(compile.Learn()); err != nil {
			return nil, err
		}
	}
	all := map[launch.Role]server.Role{
		launch.RoleJS:     {Table: seccomp.RoleJS, Other: image},
		launch.RoleNative: {Table: seccomp.RoleNative, Other: pid1.File, Later: pid1.Stack, Native: true, Forks: true, Args: []string{"native"}},

		launch.RoleWasm:        {Table: seccomp.RoleWasm, Other: run.File, Later: run.Stack, Code: true, Args: []string{"wasm"}},
		launch.RoleWasmCompile: {Table: seccomp.RoleWasmCompile, Other: nothing, Args: []string{"wasm-compile"}},
	}
	for name, r := range all {
		if r.Filters, err = filters(compile.Stack(r.Table, nil)); err != nil {
			return nil, err
		}
		r.Learn = learn
		all[name] = r
	}
	return all, nil
}

// filters gives what was compiled a file.
func filters(s seccomp.Stack, err error) (server.Filters, error) {
	if err != nil {
		return server.Filters{}, err
	}
	return server.NewFilters(s)
}

// prelude gives the prelude's heap image, or an empty file if there is none.
// Workers map the file itself, so that they share its pages: it is copied into
// memory only so that nobody can change it under them.
func prelude(path string) (*os.File, error) {
	var image []byte
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the prelude's image: %w", err)
		}
		image = b
	}
	return server.Seal("mpsupervisor-prelude", image)
}
