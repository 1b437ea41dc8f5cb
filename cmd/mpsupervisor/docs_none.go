//go:build !docs

package main

import "github.com/spf13/cobra"

// addDocs adds nothing: the man pages' generator is not part of the program.
func addDocs(*cobra.Command) {}
