package image

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Instance is a hibernated program, as it was.
type Instance struct {
	ID      mp.InstanceID `json:"id"`
	App     mp.AppID      `json:"app"`
	Name    string        `json:"name"`
	Version string        `json:"version"`
	Entry   string        `json:"entry"`
	Package mp.Digest     `json:"package"`
	Build   string        `json:"build"` // of the worker that wrote its image
	Limits  mp.Limits     `json:"limits"`
	Born    time.Time     `json:"born"`
	Since   time.Time     `json:"since"` // when it was hibernated
	Calls   uint64        `json:"calls"`
	Exports []string      `json:"exports,omitempty"`

	Image  int64  `json:"image"`  // bytes of its image; 0 once that is used
	State  int64  `json:"state"`  // bytes of what it saved itself
	Serial uint64 `json:"serial"` // of its files; no other files of its have it
}

// binding is what a file of the instance is bound to.
func (in *Instance) binding(k kind) binding {
	return binding{kind: k, app: in.App, digest: in.Package, build: in.Build, owner: in.ID, counter: in.Serial}
}

func imageName(id mp.InstanceID) string { return string(id) + ".image" }
func stateName(id mp.InstanceID) string { return string(id) + ".state" }

// registry is the hibernated programs, and how often there was a change.
//
// Each change writes the registry and then the counter. So the counter is that of
// the registry, or one behind after a crash between the two; a registry that is
// behind the counter was put back from earlier. The directory is synchronised once
// for both, between them: with that of the next change the counter lasts too. What
// a crash left behind is made up for before the next change.
type registry struct {
	Counter   uint64                     `json:"counter"`
	Serial    uint64                     `json:"serial"` // the highest number that an instance's files had
	Instances map[mp.InstanceID]Instance `json:"instances"`
}

const (
	registryName = "registry"
	counterName  = "counter"
	maxRegistry  = 32 << 20 // bytes
	maxInstances = 4096
)

// openRegistry reads the registry. When it cannot be trusted there is none, and
// the error says why.
func (s *Store) openRegistry() (lost, err error) {
	r, behind, lost := s.readRegistry()
	if r.Instances == nil {
		r.Instances = map[mp.InstanceID]Instance{}
	}
	s.registry = r
	switch {
	case lost != nil:
		lost = fmt.Errorf("the registry of hibernated programs cannot be used: %w", lost)
		err = s.restart()
	case behind:
		err = s.top.write(counterName, s.counter(r.Counter))
	}
	return lost, err
}

// restart begins anew with a registry that is ahead of whatever there was.
func (s *Store) restart() error {
	if err := s.top.write(counterName, s.counter(s.registry.Counter)); err != nil {
		return err
	}
	return s.commit(func(*registry) {})
}

// counter fills the counter's file.
func (s *Store) counter(n uint64) func(io.Writer) error {
	return sealed(&s.key, binding{kind: kindCounter}, binary.BigEndian.AppendUint64(nil, n))
}

// readRegistry gives what is on disk, and whether its counter is one behind; with an
// error, nothing but a counter that is not below any that was used as far as is
// known.
func (s *Store) readRegistry() (r registry, behind bool, err error) {
	counter, first := s.readCounter()
	b, err := s.top.readSealed(&s.key, registryName, binding{kind: kindRegistry}, maxRegistry)
	none := errors.Is(err, os.ErrNotExist)
	if none && errors.Is(first, os.ErrNotExist) {
		return r, false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	highest := registry{Counter: max(counter, r.Counter), Serial: r.Serial}
	switch {
	case err != nil:
		return highest, false, err
	case errors.Is(first, os.ErrNotExist) && r.Counter == 1:
		return r, true, nil // the first change of all was cut short
	case first != nil:
		return highest, false, fmt.Errorf("its counter: %w", first)
	case r.Counter < counter:
		return highest, false, fmt.Errorf("it is of change %d, and there were %d: it was put back from earlier", r.Counter, counter)
	case r.Counter > counter+1:
		return highest, false, fmt.Errorf("its counter is of change %d, and there were %d: it was put back from earlier", counter, r.Counter)
	}
	return r, r.Counter > counter, nil
}

func (s *Store) readCounter() (uint64, error) {
	b, err := s.top.readSealed(&s.key, counterName, binding{kind: kindCounter}, 8)
	if err != nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, errNotAuthentic
	}
	return binary.BigEndian.Uint64(b), nil
}

// commit changes the registry, on disk first. s.mu is held, or nobody else has s.
// After an error it is as it was, for us; on disk it may be either.
func (s *Store) commit(change func(*registry)) error {
	next := registry{Counter: s.registry.Counter + 1, Serial: s.registry.Serial, Instances: make(map[mp.InstanceID]Instance, len(s.registry.Instances)+1)}
	for id, in := range s.registry.Instances {
		next.Instances[id] = in
	}
	change(&next)
	b, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := s.replace(b, next.Counter); err != nil {
		return fmt.Errorf("cannot write the registry of hibernated programs: %w", err)
	}
	s.registry = next
	return nil
}

// replace writes both files of the registry, their content at the same time:
// what takes time is the disk.
func (s *Store) replace(registry []byte, counter uint64) error {
	other := make(chan error, 1)
	go func() { other <- s.top.stage(counterName, s.counter(counter)) }()
	err := s.top.stage(registryName, sealed(&s.key, binding{kind: kindRegistry}, registry))
	if err := errors.Join(err, <-other); err != nil {
		return err
	}
	if err := s.top.place(registryName); err != nil {
		return err
	}
	if err := s.top.sync(); err != nil {
		return err
	}
	return s.top.place(counterName)
}

// files names what belongs to the registry's programs, in both folders.
func (r *registry) files() (instances, packages map[string]bool) {
	instances, packages = map[string]bool{}, map[string]bool{}
	for id, in := range r.Instances {
		instances[imageName(id)] = in.Image > 0
		instances[stateName(id)] = in.State > 0
		packages[nameOf(in.Package)] = true
	}
	return instances, packages
}
