package js

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// A heap image is the arena of an engine that has evaluated the prelude, and
// nothing else:
//
//	page 0          header, below, and the list of warm pages, see warm.go
//	page 1          the root page
//	meta pages      page descriptors, as many as the heap pages need
//	heap pages      from heapBase on
//
// It holds addresses: of the arena, and of functions and tables in the
// executable. So it is good for the executable with the same build ID alone,
// which must not be position-independent.
//
//	offset size
//	     0    8  magic "mpjsheap"
//	     8    4  format version
//	    12    4  number of heap pages
//	    16    8  address of the arena
//	    24    8  address of the heap
//	    32   16  architecture, NUL-padded
//	    48   96  build ID, NUL-padded
//	   144    4  CRC-32C of everything behind page 0
//	   148    4  FNV-1a of the 148 bytes before: CRC tables take 0.1 ms to make
//
// MapImage checks the header alone, and with it that this executable wrote the
// file. It does not read the rest: that would fault in every page of it in
// every worker, which the mapping is there to avoid. The file is made by our
// own build, belongs to root, and has the trust that the executable beside it
// has; a damaged one is found with CheckImage, when it is installed.
const (
	imageMagic   = "mpjsheap"
	imageVersion = 1
	headerSize   = 152
	maxImage     = 64 << 20
)

type header struct {
	pages uint32 // of the heap
	sum   uint32 // of what follows page 0
}

// castagnoli is made when it is used: a worker does not.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func headerSum(b []byte) uint32 {
	h := fnv.New32a()
	h.Write(b)
	return h.Sum32()
}

// identity is the part of a header that must be this executable's.
func identity() ([]byte, error) {
	id, err := BuildID()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 128)
	binary.LittleEndian.PutUint64(b[0:], uint64(arenaBase))
	binary.LittleEndian.PutUint64(b[8:], uint64(heapBase))
	copy(b[16:32], runtime.GOARCH)
	if copy(b[32:], id) < len(id) {
		return nil, errors.New("the build ID is too long")
	}
	return b, nil
}

// checkIdentity reports why what another executable's identity returned is not
// this one's.
func checkIdentity(got []byte) error {
	id, err := identity()
	if err != nil {
		return err
	}
	switch {
	case string(got[:16]) != string(id[:16]):
		return errors.New("the image's address differs")
	case string(got[16:32]) != string(id[16:32]):
		return errors.New("the image's architecture differs")
	case string(got[32:]) != string(id[32:]):
		return errors.New("the image's build ID differs")
	}
	return nil
}

func (h header) marshal() ([]byte, error) {
	id, err := identity()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, headerSize)
	b = append(b, imageMagic...)
	b = binary.LittleEndian.AppendUint32(b, imageVersion)
	b = binary.LittleEndian.AppendUint32(b, h.pages)
	b = append(b, id...)
	b = binary.LittleEndian.AppendUint32(b, h.sum)
	return binary.LittleEndian.AppendUint32(b, headerSum(b)), nil
}

func (h *header) unmarshal(b []byte) error {
	switch {
	case len(b) < headerSize || string(b[:8]) != imageMagic:
		return errors.New("not a heap image")
	case binary.LittleEndian.Uint32(b[148:]) != headerSum(b[:148]):
		return errors.New("the image's header is damaged")
	case binary.LittleEndian.Uint32(b[8:]) != imageVersion:
		return errors.New("the image's format version differs")
	}
	if err := checkIdentity(b[16:144]); err != nil {
		return err
	}
	h.pages = binary.LittleEndian.Uint32(b[12:])
	h.sum = binary.LittleEndian.Uint32(b[144:])
	return nil
}

// metaPages is how many pages the descriptors of n heap pages take.
func metaPages(n uint32) uintptr {
	return (uintptr(n)*unsafe.Sizeof(page{}) + pageSize - 1) / pageSize
}

func (h header) fileSize() int64 { return int64(2+metaPages(h.pages)+uintptr(h.pages)) * pageSize }

// readHeader checks the header, and that the file is as long as it says.
func readHeader(f *os.File) (h header, err error) {
	if f == nil {
		return h, errors.New("no image was given")
	}
	st, err := f.Stat()
	if err != nil {
		return h, err
	}
	if st.Size() == 0 {
		return h, errors.New("the image is empty")
	}
	b := make([]byte, headerSize)
	n, err := f.ReadAt(b, 0)
	if err != nil && n == 0 {
		return h, err
	}
	if err := h.unmarshal(b[:n]); err != nil {
		return h, err
	}
	if h.pages > maxImage/pageSize || st.Size() != h.fileSize() {
		return h, errors.New("the image's size is wrong")
	}
	return h, nil
}

// mapImage lays the image over the arena. Its error is the reason for which
// the prelude must be evaluated; the arena is then as it was.
func (e *Engine) mapImage(f *os.File) error {
	b, err := mapBase(f)
	if err != nil {
		return err
	}
	if err := reserve(); err != nil {
		b.close()
		return err
	}
	if err := b.header.mapOver(f); err != nil {
		b.close()
		closeArena()
		return err
	}
	e.base = b
	b.warm()
	return nil
}

func (h header) mapOver(f *os.File) error {
	meta := metaPages(h.pages) * pageSize
	heap := uintptr(h.pages) * pageSize
	// The root page and the descriptors follow each other in both places.
	if err := mapFile(f, pageSize, arenaBase, pageSize+meta); err != nil {
		return err
	}
	if err := mapFile(f, int64(2*pageSize+meta), heapBase, heap); err != nil {
		return err
	}
	if r := &theRoot().heap; r.brk != h.pages {
		return errors.New("the image contradicts itself")
	}
	return theRoot().heap.finishReady(h.pages)
}

// finishReady makes what belongs to the last pages' growth step accessible:
// the image ends in the middle of one.
func (h *heap) finishReady(pages uint32) error {
	end := (pages + growth - 1) / growth * growth
	h.ready, h.touched = end, pages
	from, to := metaBase+metaPages(pages)*pageSize, metaBase+metaPages(end)*pageSize
	if err := allow(from, to-from); err != nil {
		return err
	}
	return allow(addrOf(pages), addrOf(end)-addrOf(pages))
}

// noHost takes the console of the prelude's evaluation, which is silent.
type noHost struct{}

func (noHost) Log(string, string) {}

func (noHost) Ask(_ context.Context, method string, _ []byte, done func([]byte, error)) {
	done(nil, &mp.AskError{Code: mp.AskNotFound, Message: "nobody answers " + method})
}

// WriteImage evaluates the prelude and writes its heap image to f, which must
// be empty. No Engine may be open.
func WriteImage(f *os.File) error {
	if err := writePages(f); err != nil {
		return err
	}
	return writeWarm(f)
}

// writePages writes everything but the list of warm pages.
func writePages(f *os.File) error {
	e, err := New(noHost{}, nil)
	if err != nil {
		return err
	}
	defer e.Close()
	if err := e.complete(); err != nil {
		return err
	}
	hp := &theRoot().heap
	hp.release()
	theRoot().shared = hp.inUse
	h := header{pages: hp.brk}
	meta := metaPages(h.pages) * pageSize
	parts := [][]byte{
		bytesAt(arenaBase, pageSize+meta),
		bytesAt(heapBase, uintptr(h.pages)*pageSize),
	}
	for _, p := range parts {
		h.sum = crc32.Update(h.sum, castagnoli(), p)
	}
	first, err := h.marshal()
	if err != nil {
		return fmt.Errorf("cannot make a heap image: %w", err)
	}
	parts = append([][]byte{append(first, make([]byte, pageSize-len(first))...)}, parts...)
	for _, p := range parts {
		if _, err := f.Write(p); err != nil {
			return fmt.Errorf("cannot write the heap image: %w", err)
		}
	}
	return nil
}

// CheckImage reports why f is not a sound image of this executable's.
func CheckImage(f *os.File) error {
	h, err := readHeader(f)
	if err != nil {
		return err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(h.fileSize()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("cannot map the heap image: %w", err)
	}
	defer unix.Munmap(b)
	if crc32.Checksum(b[pageSize:], castagnoli()) != h.sum {
		return errors.New("the image is damaged")
	}
	return nil
}

var _ engine.Host = noHost{}
