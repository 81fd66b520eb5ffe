//go:build !linux

package db

const canSyncData = false

func syncData(uintptr) int32 { panic("db: not on this system") }
