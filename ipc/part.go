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
	p.body = append(p.body, payload...)
}

func (p *part) whole() bool { return len(p.body) == int(p.size) }

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
