package js

import (
	"unsafe"

	lib "modernc.org/libquickjs"
)

// What the prelude made lives for ever. QuickJS's collector walks a list of
// everything that can be part of a cycle and counts references up and down as it
// goes: that would copy every page of the image into every worker, at the first
// collection. So the prelude's objects are taken off that list.
//
// An object off the list is never visited: what it refers to keeps that
// reference, and lives as if from a root. It would still be freed when the last
// reference to it goes; a bias on its count sees to it that none is the last, so
// that what the guest deletes of the prelude dirties no page either, and the
// collector, which subtracts the guest's references for a while, never finds it
// with none.
//
// Shapes, the descriptions of objects' properties, are off the list but have no
// bias: QuickJS changes a shape in place when one object alone has it. It makes a
// new one, on the list, when it grows, and frees the old one, which being linked
// to itself leaves no list.
//
// A cycle through an object of the guest and one of the prelude is never freed
// while the prelude's object refers to the guest's.

// immortality is the bias. As many references again would need more memory than
// the arena has.
const immortality = 1 << 30

// blockHeader precedes each block that QuickJS hands out (its JSMallocBlockHeader).
type blockHeader struct {
	index    uint16
	size     uint8
	kind     uint8 // low 7 bits: EJS_GC_OBJ_TYPE_…; the highest: marked
	refCount int32
}

const _ = -uint(unsafe.Sizeof(blockHeader{}) - unsafe.Sizeof(lib.TJSMallocBlockHeader{}))

func headerOf(p uintptr) *blockHeader {
	return (*blockHeader)(at(p - unsafe.Sizeof(blockHeader{})))
}

// makeImmortal takes everything that there is off the collector's list.
func (e *Engine) makeImmortal() {
	rt := theRoot().runtime
	list := rt + unsafe.Offsetof(lib.TJSRuntime{}.Fgc_obj_list)
	for p := link(list).Fnext; p != list; p = link(p).Fnext {
		if h := headerOf(p); h.kind&0x7f != lib.EJS_GC_OBJ_TYPE_SHAPE {
			h.refCount += immortality
		}
	}
	unlinkAll(list)
}

// link is the list's head or an object's place in it, which begins the object.
func link(p uintptr) *lib.Tlist_head { return (*lib.Tlist_head)(at(p)) }
