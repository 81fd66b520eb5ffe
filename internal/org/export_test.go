package org

// FullEffort makes new hashes cost what they cost outside of tests, until undo.
func FullEffort() (undo func()) {
	asked = full
	return func() { asked = effort{64, 1} }
}
