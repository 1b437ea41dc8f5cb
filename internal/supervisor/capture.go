package supervisor

import (
	"os"
	"strings"
	"sync"
)

const (
	captureHead = 8 << 10 // bytes kept from the beginning, where a crash says what it is
	captureTail = 8 << 10 // and from the end
	captureMax  = 1 << 20 // bytes read at all: then the writer blocks
)

// capture keeps the beginning and the end of a worker's standard error.
type capture struct {
	mu   sync.Mutex
	file *os.File
	head []byte
	tail []byte
	lost bool // something between them
}

// read reads f until its end, its bound, or close, and then closes said.
func (c *capture) read(f *os.File, said chan<- struct{}) {
	c.mu.Lock()
	c.file = f
	c.mu.Unlock()
	defer close(said)
	buf := make([]byte, 4<<10)
	for total := 0; total < captureMax; {
		n, err := f.Read(buf)
		c.add(buf[:n])
		total += n
		if err != nil {
			return
		}
	}
}

func (c *capture) add(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(b), captureHead-len(c.head))
	c.head = append(c.head, b[:n]...)
	c.tail = append(c.tail, b[n:]...)
	if more := len(c.tail) - captureTail; more > 0 {
		c.lost = true
		c.tail = append(c.tail[:0], c.tail[more:]...)
	}
}

// close ends read.
func (c *capture) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil {
		c.file.Close()
	}
}

// String gives what was kept, as valid UTF-8.
func (c *capture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	gap := ""
	if c.lost {
		gap = "\n[…]\n"
	}
	return strings.ToValidUTF8(string(c.head)+gap+string(c.tail), "\uFFFD")
}
