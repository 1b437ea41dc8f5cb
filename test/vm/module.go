package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// modules are what the tests need beside what is built in, each with what for.
var modules = []string{
	"virtio_pci",     // the machine's devices
	"virtio_console", // the tests' output
	"virtio_blk",     // a disk, for io limits and as /var/tmp
	"ext4",           // what is on it
	"overlay",        // the root of a native program
	"vsock",          // sockets to the hypervisor, which workers must not get
	"af_alg",         // sockets to the kernel's cryptography: the same
}

// loadOrder gives the files of modules and of what they depend on, each after
// its own dependencies. The file modules.dep is described in depmod(8).
func loadOrder(modulesDep string, names []string) []string {
	needs := map[string][]string{}
	path := map[string]string{}
	for line := range strings.Lines(modulesDep) {
		file, depends, _ := strings.Cut(strings.TrimSpace(line), ":")
		needs[file] = strings.Fields(depends)
		name, _, _ := strings.Cut(filepath.Base(file), ".ko")
		path[strings.ReplaceAll(name, "-", "_")] = file
	}
	var order []string
	for _, name := range names {
		file, ok := path[name]
		if !ok {
			continue // built in, or not there: whoever needs it will say so
		}
		depends := slices.Clone(needs[file])
		slices.Reverse(depends) // modules.dep has the last to load first
		for _, f := range append(depends, file) {
			if !slices.Contains(order, f) {
				order = append(order, f)
			}
		}
	}
	return order
}

// moduleFile reads a module, uncompressed: the machine's insmod knows no xz.
func moduleFile(ctx context.Context, path string) ([]byte, error) {
	if !strings.HasSuffix(path, ".xz") {
		return os.ReadFile(path)
	}
	text, err := tool(ctx, "", "xz", "-dc", path)
	if err != nil {
		return nil, fmt.Errorf("cannot unpack module: %w", err)
	}
	return []byte(text), nil
}
