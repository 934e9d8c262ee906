package config

import "strings"

// Section is a set of sections of the configuration, for saying which a command
// uses.
type Section uint

// The sections, to be joined by |. A local import needs SectionMerchant,
// SectionDataDir and SectionAPI.
const (
	SectionMerchant Section = 1 << iota
	SectionDataDir
	SectionAPI
	SectionInbox
	SectionFiles
	SectionImports
	SectionReceiver
	SectionReconcile
	SectionReports
	SectionSchedule
	SectionNotify
	SectionMetrics
	SectionKeep
)

// SectionAll is every section.
const SectionAll = SectionKeep<<1 - 1

// Has reports whether all of other is in s.
func (s Section) Has(other Section) bool { return s&other == other }

// sectionOf tells which section a dotted key stands in; 0 if in none.
func sectionOf(key string) Section {
	top, _, _ := strings.Cut(key, ".")
	top, _, _ = strings.Cut(top, "[")
	switch top {
	case "merchant":
		return SectionMerchant
	case "data_dir":
		return SectionDataDir
	case "api":
		return SectionAPI
	case "inbox":
		return SectionInbox
	case "files":
		return SectionFiles
	case "imports":
		return SectionImports
	case "receiver":
		return SectionReceiver
	case "reconcile":
		return SectionReconcile
	case "reports":
		return SectionReports
	case "schedule":
		return SectionSchedule
	case "notify":
		return SectionNotify
	case "metrics":
		return SectionMetrics
	case "keep":
		return SectionKeep
	}
	return 0
}
