package image

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
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
// behind the counter was put back from earlier.
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
func (s *Store) openRegistry() (lost error) {
	r, err := s.readRegistry()
	if err != nil {
		lost = fmt.Errorf("the registry of hibernated programs cannot be used: %w", err)
	}
	if r.Instances == nil {
		r.Instances = map[mp.InstanceID]Instance{}
	}
	s.registry = r
	if lost != nil {
		lost = errors.Join(lost, s.commit(func(*registry) {}))
	}
	return lost
}

// readRegistry gives what is on disk; with an error, nothing but a counter that
// is not below any that was used as far as is known.
func (s *Store) readRegistry() (registry, error) {
	counter, first := s.readCounter()
	var r registry
	b, err := s.top.readSealed(&s.key, registryName, binding{kind: kindRegistry}, maxRegistry)
	none := errors.Is(err, os.ErrNotExist)
	if none && errors.Is(first, os.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	highest := registry{Counter: max(counter, r.Counter), Serial: r.Serial}
	switch {
	case err != nil:
		return highest, err
	case errors.Is(first, os.ErrNotExist) && r.Counter == 1:
		return r, nil // the first change of all was cut short
	case first != nil:
		return highest, fmt.Errorf("its counter: %w", first)
	case r.Counter < counter:
		return highest, fmt.Errorf("it is of change %d, and there were %d: it was put back from earlier", r.Counter, counter)
	case r.Counter > counter+1:
		return highest, fmt.Errorf("its counter is of change %d, and there were %d: it was put back from earlier", counter, r.Counter)
	}
	return r, nil
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
	if err := s.top.writeSealed(&s.key, registryName, binding{kind: kindRegistry}, b); err != nil {
		return fmt.Errorf("cannot write the registry of hibernated programs: %w", err)
	}
	err = s.top.writeSealed(&s.key, counterName, binding{kind: kindCounter}, binary.BigEndian.AppendUint64(nil, next.Counter))
	if err != nil {
		return fmt.Errorf("cannot write the registry's counter: %w", err)
	}
	s.registry = next
	return nil
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
