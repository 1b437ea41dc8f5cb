package js

// compressionNatives compress.
var compressionNatives []nativeMember
