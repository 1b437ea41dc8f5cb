//go:build docs

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// addDocs adds the command that writes the man pages. `make install` runs it
// with `go run -tags docs`, so that the program does not carry the generator.
func addDocs(root *cobra.Command) {
	root.AddCommand(&cobra.Command{
		Use:    "man DIR",
		Short:  "Write the man pages into a directory",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(_ *cobra.Command, args []string) error { return writeMan(root, args[0]) },
	})
}

// writeMan writes one page a command, dated by SOURCE_DATE_EPOCH if it is set.
func writeMan(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the directory: %w", err)
	}
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Section: "1", Source: "mpsupervisor " + mp.Version, Manual: "mpsupervisor"}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return fmt.Errorf("cannot write the man pages: %w", err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "mpsupervisor*.1"))
	if err != nil || len(pages) <= len(root.Commands())/2 {
		return fmt.Errorf("only %s were written: %w", strings.Join(pages, ", "), err)
	}
	return nil
}
