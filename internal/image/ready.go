package image

import (
	"io"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// ready is the ready images, of which those used longest ago go first.
type ready struct {
	options Options
	bytes   int64
	images  map[mp.Digest]*readyImage
}

// readyImage is one package's. Once it was made or read it is in memory too, where
// all workers of the package share it.
type readyImage struct {
	bytes int64
	used  time.Time
	build string   // of the worker that wrote file
	file  *os.File // sealed, read-only; nil: on disk alone
}

func (i *readyImage) close() {
	if i.file != nil {
		i.file.Close()
	}
}

func (r *ready) close() {
	for _, i := range r.images {
		i.close()
	}
}

// add keeps an image in the place of the one that there was.
func (r *ready) add(d mp.Digest, i *readyImage) {
	r.images[d] = i
	r.bytes += i.bytes
}

// take forgets an image.
func (r *ready) take(d mp.Digest) {
	if i := r.images[d]; i != nil {
		i.close()
		delete(r.images, d)
		r.bytes -= i.bytes
	}
}

// over gives an image that has to go, if one has to.
func (r *ready) over() (d mp.Digest, yes bool) {
	if len(r.images) <= r.options.Ready && r.bytes <= r.options.ReadyBytes {
		return d, false
	}
	var oldest *readyImage
	for digest, i := range r.images {
		if oldest == nil || i.used.Before(oldest.used) {
			d, oldest = digest, i
		}
	}
	return d, oldest != nil
}

// readyBinding is what a ready image is bound to. It has no number: an earlier
// one of the same package and build is as good.
func readyBinding(app mp.AppID, d mp.Digest, build string) binding {
	return binding{kind: kindReady, app: app, digest: d, build: build}
}

// openReady finds the ready images on disk.
func (s *Store) openReady(o Options) error {
	s.ready = ready{options: o, images: map[mp.Digest]*readyImage{}}
	err := s.cache.each(func(name string) {
		st, err := s.cache.Stat(name)
		if err != nil || plainSize(st.Size()) <= 0 {
			s.cache.RemoveAll(name)
			return
		}
		s.ready.add(digestOf(name), &readyImage{bytes: plainSize(st.Size()), used: st.ModTime()})
	})
	s.shrink()
	return err
}

// shrink drops ready images until the rest is within the bounds.
func (s *Store) shrink() {
	for d, yes := s.ready.over(); yes; d, yes = s.ready.over() {
		s.dropReady(d)
	}
}

func (s *Store) dropReady(d mp.Digest) {
	s.ready.take(d)
	s.cache.Remove(nameOf(d)) // else it is found at the next start, and goes then
}

// Ready gives the ready image of a package for workers of a build, in a sealed
// memory file that the caller closes, or nil if there is none.
func (s *Store) Ready(app mp.AppID, d mp.Digest, build string) *os.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.ready.images[d]
	if i == nil {
		return nil
	}
	if i.file == nil {
		i.file, i.build = s.readReady(app, d, build), build
	}
	if i.file == nil || i.build != build {
		s.dropReady(d)
		return nil
	}
	i.used = time.Now()
	s.cache.Chtimes(nameOf(d), i.used, i.used) // for the order after a restart
	f, err := Reopen(i.file)
	if err != nil {
		return nil
	}
	return f
}

// readReady reads an image from disk; nil if that is not what was kept there.
func (s *Store) readReady(app mp.AppID, d mp.Digest, build string) *os.File {
	f, err := s.cache.Open(nameOf(d))
	if err != nil {
		return nil
	}
	defer f.Close()
	m, err := s.unseal(f, readyBinding(app, d, build), s.ready.images[d].bytes)
	if err != nil {
		return nil
	}
	return m
}

// KeepReady keeps the ready image of a package, in the sealed memory file f, which
// it takes over. One that is larger than all may be is not kept. The error says
// that it is not on disk; it is in memory then.
func (s *Store) KeepReady(app mp.AppID, d mp.Digest, build string, f *os.File) error {
	n, err := size(f)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropReady(d)
	s.ready.add(d, &readyImage{bytes: n, used: time.Now(), build: build, file: f})
	s.shrink()
	if s.ready.images[d] == nil {
		return nil
	}
	return s.cache.write(nameOf(d), func(w io.Writer) error {
		return s.key.seal(w, readyBinding(app, d, build), io.NewSectionReader(f, 0, n), n)
	})
}

// DropReady forgets a ready image with which a worker could not begin.
func (s *Store) DropReady(d mp.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropReady(d)
}

// SetReady changes the bounds of ready images; what is above them goes.
func (s *Store) SetReady(o Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready.options = o
	s.shrink()
}
