package main

import (
	_ "embed"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// declarations are the types of what a JavaScript program finds in mp. The
// conformance tests hold them against the engine.
//
//go:embed dist/mp.d.ts
var declarations []byte

func newTypes(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "types [FILE]",
		Short: "Write the TypeScript declarations for JavaScript programs",
		Long: `types writes the TypeScript declarations of what mpsupervisor adds to the web
platform: the object mp. It writes them to FILE, or to standard output.

Editors and type checkers find them when the file lies among a program's sources.`,
		Example: `  mpsupervisor types src/mp.d.ts
  mpsupervisor types > mp.d.ts`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := a.out.Write(declarations)
				return err
			}
			if err := os.WriteFile(args[0], declarations, 0o644); err != nil {
				return fmt.Errorf("cannot write the declarations: %w", err)
			}
			return nil
		},
	}
}
