package main

// read reads a word at an address, jump goes there, overflow pushes onto a
// stack until there is no more of it, and illegal is no instruction.
func read(address uintptr)
func jump(address uintptr)
func overflow(top uintptr)
func illegal()
