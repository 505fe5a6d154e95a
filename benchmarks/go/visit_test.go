// SPDX-License-Identifier: MIT

package ampersand

import "unsafe"

func visit(s *string, at int) uint64 {
	seen[at] = uintptr(unsafe.Pointer(s))
	return uint64(at) + uint64((*s)[0]) + uint64(len(*s))
}
