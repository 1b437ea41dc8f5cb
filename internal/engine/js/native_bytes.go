package js

// bytesNatives turn bytes into text and back.
var bytesNatives []nativeMember
