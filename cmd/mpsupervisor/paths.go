package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// libexec is where `make install` puts the programs that nobody starts by
// hand, seen from where it puts this one.
const libexec = "../libexec/mpsupervisor"

// findFile returns the configured path, or looks for the name beside this
// program and then in libexec.
func findFile(configured, name string) (string, error) {
	if configured != "" {
		_, err := os.Stat(configured)
		return configured, err
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot tell where this program is: %w", err)
	}
	dir := filepath.Dir(self)
	var tried []string
	for _, path := range []string{filepath.Join(dir, name), filepath.Join(dir, libexec, name)} {
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		tried = append(tried, path)
	}
	return "", fmt.Errorf("%s is neither %s: %w", name, strings.Join(tried, " nor "), os.ErrNotExist)
}
