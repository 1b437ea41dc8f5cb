package archive

import (
	"encoding/binary"
	"hash/crc32"
)

const (
	localSize   = 30
	centralSize = 46
	endSize     = 22

	modeShift = 16 // of the Unix mode in the external attributes
)

// entry is one entry's place and checksum. Its headers follow from it.
type entry struct {
	name   string // without the "/" at the end of a directory's
	kind   Kind
	size   uint32
	crc    uint32
	offset uint32 // of the local header
}

func (e entry) start() int64 { return int64(e.offset) + localSize + int64(len(e.stored())) }
func (e entry) end() int64   { return e.start() + int64(e.size) }

// stored is the name as the headers have it.
func (e entry) stored() string {
	if e.kind == Directory {
		return e.name + "/"
	}
	return e.name
}

// shared appends the fields that both headers have, from "version needed to
// extract" to "extra field length".
func (e entry) shared(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, 20)     // version needed: 2.0
	b = le.AppendUint16(b, 0x0800) // flags: the name is UTF-8
	b = le.AppendUint16(b, 0)      // method: stored
	b = le.AppendUint16(b, 0)      // time: 00:00
	b = le.AppendUint16(b, 1<<5|1) // date: 1980-01-01
	b = le.AppendUint32(b, e.crc)
	b = le.AppendUint32(b, e.size) // compressed
	b = le.AppendUint32(b, e.size) // uncompressed
	b = le.AppendUint16(b, uint16(len(e.stored())))
	return le.AppendUint16(b, 0) // extra field: none
}

// local appends the local file header and the name.
func (e entry) local(b []byte) []byte {
	b = append(b, "PK\x03\x04"...)
	return append(e.shared(b), e.stored()...)
}

// central appends the central directory header and the name.
func (e entry) central(b []byte) []byte {
	le := binary.LittleEndian
	b = append(b, "PK\x01\x02"...)
	b = le.AppendUint16(b, 3<<8|20) // made by: Unix, 2.0
	b = e.shared(b)
	b = le.AppendUint16(b, 0) // comment: none
	b = le.AppendUint16(b, 0) // disk number
	b = le.AppendUint16(b, 0) // internal attributes
	b = le.AppendUint32(b, modes[e.kind]<<modeShift)
	b = le.AppendUint32(b, e.offset)
	return append(b, e.stored()...)
}

// kindOf gives the kind of an entry from its external attributes.
func kindOf(attributes uint32) (Kind, bool) {
	for kind, mode := range modes {
		if attributes == mode<<modeShift {
			return Kind(kind), true
		}
	}
	return 0, false
}

// end appends the end of central directory record for n entries whose directory
// begins at offset and has size bytes.
func end(b []byte, n int, size, offset uint32) []byte {
	le := binary.LittleEndian
	b = append(b, "PK\x05\x06"...)
	b = le.AppendUint16(b, 0) // this disk
	b = le.AppendUint16(b, 0) // the directory's disk
	b = le.AppendUint16(b, uint16(n))
	b = le.AppendUint16(b, uint16(n))
	b = le.AppendUint32(b, size)
	b = le.AppendUint32(b, offset)
	return le.AppendUint16(b, 0) // comment: none
}

func checksum(content []byte) uint32 { return crc32.ChecksumIEEE(content) }
