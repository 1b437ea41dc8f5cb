package image

import (
	"errors"
	"fmt"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Instances gives the hibernated programs.
func (s *Store) Instances() []Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Instance, 0, len(s.registry.Instances))
	for _, in := range s.registry.Instances {
		all = append(all, in)
	}
	return all
}

// UnusableError says why there is no image to go on with. The program can begin
// anew from its source.
type UnusableError struct{ Reason string }

func (e *UnusableError) Error() string { return e.Reason }

func unusable(format string, args ...any) error {
	return &UnusableError{fmt.Sprintf(format, args...)}
}

// Take gives the image of a hibernated program to a worker of a build, in a
// sealed memory file, and what the program saved itself. The image can be used
// this once: whatever happens then, another Take gives the saved state alone, as
// long as there was no Drop. The error is an *UnusableError if there is no image,
// and why; saved is good then. After any other error nothing was used up.
func (s *Store) Take(id mp.InstanceID, build string) (image *os.File, saved []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.registry.Instances[id]
	if !ok {
		return nil, nil, fmt.Errorf("program %s is not hibernated: %w", id, mp.ErrNotFound)
	}
	if in.Image > 0 {
		if err := s.commit(func(r *registry) { used := in; used.Image = 0; r.Instances[id] = used }); err != nil {
			return nil, nil, err
		}
	}
	saved, lost := s.state(&in)
	image, err = s.image(&in, build)
	s.instances.Remove(imageName(id)) // else the next sweep does
	if err != nil && lost != nil {
		err = unusable("%v; the state that the program saved: %v", err, lost)
	}
	return image, saved, err
}

// state reads what a program saved.
func (s *Store) state(in *Instance) ([]byte, error) {
	if in.State == 0 {
		return nil, nil
	}
	b, err := s.instances.readSealed(&s.key, stateName(in.ID), in.binding(kindState), in.State)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// image opens a program's image. The error is an *UnusableError.
func (s *Store) image(in *Instance, build string) (*os.File, error) {
	switch {
	case in.Image == 0:
		return nil, unusable("its image was used before")
	case in.Build != build || build == "":
		return nil, unusable("its image was made by another build of the worker")
	}
	f, err := s.instances.Open(imageName(in.ID))
	if err != nil {
		return nil, unusable("its image: %v", err)
	}
	defer f.Close()
	m, err := s.unseal(f, in.binding(kindInstance), in.Image)
	if err != nil {
		return nil, unusable("its image: %v", err)
	}
	return m, nil
}

// unseal opens a sealed image of exactly n bytes into a sealed memory file. No
// byte of it is to be seen before all of it is known to be authentic.
func (s *Store) unseal(f *os.File, b binding, n int64) (*os.File, error) {
	sealed, err := size(f)
	if err != nil {
		return nil, err
	}
	if sealed != sealedSize(n) {
		return nil, errNotAuthentic
	}
	m, err := NewMemory("image")
	if err != nil {
		return nil, err
	}
	if err := s.key.open(m, b, f, sealed); err != nil {
		m.Close()
		return nil, err
	}
	return Seal(m)
}

// Drop forgets a hibernated program, and removes what was kept of it.
func (s *Store) Drop(id mp.InstanceID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.registry.Instances[id]
	if !ok {
		return nil
	}
	if err := s.commit(func(r *registry) { delete(r.Instances, id) }); err != nil {
		return err
	}
	s.dropPackage(in.Package)
	if err := s.remove(id); err != nil {
		return fmt.Errorf("cannot remove what was kept of %s: %w", id, err)
	}
	return nil
}

// remove removes the files of an instance, as far as there are any.
func (s *Store) remove(id mp.InstanceID) error {
	var failed error
	for _, name := range []string{imageName(id), stateName(id)} {
		if err := s.instances.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
