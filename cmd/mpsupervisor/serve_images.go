package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	images "github.com/mpsupervisor/mpsupervisor/internal/image"
)

// keeps reports whether the supervisor keeps anything beyond its own life. One
// that run started in place does not.
func (d *daemon) keeps() bool { return !d.options.inPlace && d.config.StateDir != "" }

// makeStateDir makes the directory for images, or gives it to the supervisor's
// user: what is in it is that user's already, or it is refused later.
func (d *daemon) makeStateDir() error {
	if !d.keeps() {
		return nil
	}
	if err := makeStateDir(d.config.StateDir, int(d.user.UID), int(d.user.GID)); err != nil {
		return fmt.Errorf("cannot make the state directory: %w", err)
	}
	return nil
}

func makeStateDir(path string, uid, gid int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	// A link that somebody put there must not have its target given away.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chown(uid, gid)
}

// openImages opens the store of images. While another supervisor has it, this one
// serves without.
func (d *daemon) openImages() (*images.Store, error) {
	if !d.keeps() {
		return nil, nil
	}
	bounds := images.Options{Ready: d.config.Keep.ReadyImages, ReadyBytes: int64(d.config.Keep.ReadyBytes)}
	store, lost, err := images.Open(d.config.StateDir, bounds)
	if errors.Is(err, images.ErrInUse) {
		d.log.Warn("serving without images: no program can be hibernated", "state_dir", d.config.StateDir, "reason", err)
		return nil, nil
	}
	if lost != nil {
		d.log.Error("hibernated programs are lost", "state_dir", d.config.StateDir, "reason", lost)
	}
	return store, err
}
