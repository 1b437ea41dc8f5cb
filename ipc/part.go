package ipc

import "os"

// part is a message that is not all there.
type part struct {
	kind  kind
	size  uint32
	body  []byte
	files []int
}

// check holds a further frame against what the first one said.
func (p *part) check(h header, payload []byte) error {
	if h.size != p.size || len(payload) > int(p.size)-len(p.body) {
		return broken(RuleFragment, "%d bytes of a message of %d, %d of %d are there", len(payload), h.size, len(p.body), p.size)
	}
	return nil
}

// add takes memory for the whole message with its first frame: the window has
// been charged for that much.
func (p *part) add(payload []byte) {
	if p.body == nil {
		p.body = make([]byte, 0, p.size)
	}
	if n := len(p.body); len(payload) > 0 && &p.body[:n+1][n] == &payload[0] {
		p.body = p.body[:n+len(payload)] // it is there already
		return
	}
	p.body = append(p.body, payload...)
}

func (p *part) whole() bool { return len(p.body) == int(p.size) }

// unlessWhole is p, or nil once it is whole and belongs to somebody else.
func (p *part) unlessWhole() *part {
	if p.whole() {
		return nil
	}
	return p
}

// place gives room for a frame of n bytes whose payload comes to lie right
// behind what is there, and whose header therefore lies on the last bytes; or
// nil if there is no such room. A message that is whole has none.
func (p *part) place(n int) []byte {
	if p == nil || len(p.body) < headerSize || n <= headerSize || n-headerSize > int(p.size)-len(p.body) {
		return nil
	}
	return p.body[len(p.body)-headerSize:][:headerSize:n]
}

// drop gives a part up.
func (p *part) drop() {
	closeAll(p.files)
	p.files, p.body = nil, nil
}

// openFiles gives the descriptors to whoever gets the message.
func openFiles(fds []int) []*os.File {
	var files []*os.File
	for _, fd := range fds {
		files = append(files, os.NewFile(uintptr(fd), "received"))
	}
	return files
}
