package image

import (
	"fmt"
	"io"
	"os"
)

// Draft is a program that is about to be hibernated: what can fail for want of
// space on the disk has been done, as far as that is known before.
type Draft struct {
	s     *Store
	in    Instance
	image *os.File
}

// Prepare makes room for an image of at most most bytes, and keeps a copy of the
// program's package. One of Keep and Abandon follows.
func (s *Store) Prepare(in Instance, pack *os.File, most int64) (*Draft, error) {
	d, err := s.prepare(in, pack, most)
	if err != nil {
		return nil, fmt.Errorf("cannot make room for an image of up to %d bytes: %w", most, err)
	}
	return d, nil
}

func (s *Store) prepare(in Instance, pack *os.File, most int64) (*Draft, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.registry.Instances) >= maxInstances {
		return nil, fmt.Errorf("%d programs are hibernated, which is the most", maxInstances)
	}
	s.registry.Serial++
	in.Serial = s.registry.Serial
	s.drafts[in.Package]++
	d := &Draft{s: s, in: in}
	var err error
	if err = s.keepPackage(in.Package, pack); err == nil {
		d.image, err = s.instances.temp(imageName(in.ID))
	}
	if err == nil {
		err = reserve(d.image, sealedSize(most))
	}
	if err != nil {
		d.abandon()
		return nil, err
	}
	return d, nil
}

// Abandon gives up what Prepare made.
func (d *Draft) Abandon() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.abandon()
}

// abandon is Abandon for who holds the lock.
func (d *Draft) abandon() {
	if d.image != nil {
		d.s.instances.abandon(d.image, imageName(d.in.ID))
	}
	d.release()
}

func (d *Draft) release() {
	if d.s.drafts[d.in.Package]--; d.s.drafts[d.in.Package] == 0 {
		delete(d.s.drafts, d.in.Package)
	}
	d.s.dropPackage(d.in.Package)
}

// Keep keeps the program with its image of size bytes and with what it saved,
// which may be nothing. When it returns without an error, everything lasts.
func (d *Draft) Keep(image io.Reader, size int64, state []byte) (Instance, error) {
	d.in.Image, d.in.State = size, int64(len(state))
	err := d.s.key.seal(d.image, d.in.binding(kindInstance), image, size)
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if err == nil {
		err = d.keep(state)
	}
	if err != nil {
		d.s.remove(d.in.ID)
		d.abandon()
		return Instance{}, fmt.Errorf("cannot keep the program's image: %w", err)
	}
	d.release()
	return d.in, nil
}

// keep finishes what is written. The lock is held.
func (d *Draft) keep(state []byte) error {
	s, in := d.s, &d.in
	if err := d.image.Truncate(sealedSize(in.Image)); err != nil { // what was reserved and is not needed
		return err
	}
	f := d.image
	d.image = nil
	if err := s.instances.settle(f, imageName(in.ID)); err != nil {
		return err
	}
	if len(state) > 0 {
		if err := s.instances.write(stateName(in.ID), sealed(&s.key, in.binding(kindState), state)); err != nil {
			return err
		}
	} else if err := s.instances.sync(); err != nil {
		return err
	}
	return s.commit(func(r *registry) { r.Instances[in.ID] = *in })
}
