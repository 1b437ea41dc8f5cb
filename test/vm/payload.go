package main

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// payload is what a machine gets of this project: the test binaries, the
// programs that tests would build, and the source tree's files that they read,
// at the same path as here.
type payload struct {
	top   string            // of the source tree
	tests map[string]string // package folder → test binary
	built map[string]string // name in /built → program
}

// sourceTree finds the top of the source tree.
func sourceTree() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", errors.Join(errors.New("not in the source tree"), err)
}

// static has the linker make a binary that runs without the host's libraries.
const static = `-s -w -linkmode external -extldflags "-static"`

// build builds the tests of the steps, and the programs that they will ask for.
func build(ctx context.Context, top, dir string, steps []step) (*payload, error) {
	if _, err := os.Stat(filepath.Join(top, "bin", "mplauncher")); err != nil {
		return nil, fmt.Errorf("cannot find the built programs (run `make build` first): %w", err)
	}
	load := &payload{top: top, tests: map[string]string{}, built: map[string]string{}}
	tests := filepath.Join(dir, "tests")
	command := []string{"test", "-c", "-vet=off", "-buildvcs=false", "-tags", "osusergo,netgo", "-ldflags", static, "-o", tests + "/"}
	for _, s := range steps {
		if load.tests[s.pkg] == "" {
			load.tests[s.pkg] = filepath.Join(tests, filepath.Base(s.pkg)+".test")
			command = append(command, "./"+s.pkg)
		}
	}
	if err := os.MkdirAll(tests, 0o755); err != nil {
		return nil, err
	}
	if err := goTool(ctx, top, "1", command); err != nil {
		return nil, err
	}
	for _, p := range load.programs() {
		file := filepath.Join(dir, p.key(top))
		args := append([]string{"build", "-buildvcs=false", "-o", file}, p.args...)
		if err := goTool(ctx, filepath.Join(top, p.pkg), p.cgo, args, p.env...); err != nil {
			return nil, err
		}
		load.built[p.key(top)] = file
	}
	return load, nil
}

func goTool(ctx context.Context, dir, cgo string, args []string, env ...string) error {
	_, err := tool(ctx, dir, "env", slices.Concat(env, []string{"CGO_ENABLED=" + cgo, "go"}, args)...)
	return err
}

// program is what a test builds with `go build`: in the machine, what stands in
// for go hands it over by the same arguments.
type program struct {
	pkg  string // whose test
	cgo  string
	args []string // without "build" and -o
	env  []string // NAME=VALUE
}

// programs gives what the tests build.
func (load *payload) programs() []program {
	var all []program
	for _, p := range special {
		if load.tests[p.pkg] != "" {
			all = append(all, p)
		}
	}
	for pkg := range load.tests {
		mains, _ := filepath.Glob(filepath.Join(load.top, pkg, "testdata", "*", "main.go")) // the pattern is a good one
		for _, m := range mains {
			if filepath.Base(filepath.Dir(m)) == wasm {
				continue // it is among the special ones
			}
			all = append(all, program{pkg: pkg, cgo: "0", args: []string{"./testdata/" + filepath.Base(filepath.Dir(m))}})
		}
	}
	return all
}

// key is the sum that standin.sh makes of the folder and the arguments. Whether
// the version is stamped in makes no difference.
func (p program) key(top string) string {
	words := append([]string{filepath.Join(top, p.pkg), "build"}, p.args...)
	sum := md5.Sum([]byte(strings.Join(words, " ")))
	return hex.EncodeToString(sum[:])
}

// data are the folders of the source tree that tests read, beside testdata.
var data = []string{"examples", "docs"}

// add puts the payload into the machine's first file system.
func (load *payload) add(a *archive) {
	for pkg, file := range load.tests {
		a.copy(testPath(pkg), file)
		a.dir(filepath.Join(load.top, pkg))
		load.tree(a, filepath.Join(load.top, pkg, "testdata"))
	}
	for key, file := range load.built {
		a.copy("/built/"+key, file)
	}
	for _, folder := range data {
		load.tree(a, filepath.Join(load.top, folder))
	}
	for _, name := range []string{"mpsupervisor", "mplauncher", "mpworker", "mpworker.img"} {
		path := filepath.Join(load.top, "bin", name)
		a.copy(path, path)
	}
}

// testPath is where a package's test binary is in the machine.
func testPath(pkg string) string { return "/tests/" + strings.ReplaceAll(pkg, "/", "-") }

// tree adds the files below dir, if there are any, at the same path.
func (load *payload) tree(a *archive, dir string) {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.Type().IsRegular():
			a.copy(path, path)
		case e.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			a.link(path, target)
		}
		return nil
	})
	if !errors.Is(err, fs.ErrNotExist) {
		a.fail(err)
	}
}
