package formats

import "strconv"

// unreadName is the column name of cells that gocsv is to leave out.
const unreadName = "unread"

// A customerRow is what gocsv decodes: texts only, because its number conversions are silent about what they change. The
// header has been mapped before, so that its columns are numbers; the rows come in sizes because all of a row is cleared
// for each record.
type customerRow interface{ cells() []string }

type (
	row8 struct {
		Cells [8]string `csv:"c" csv[]:"8"`
	}
	row16 struct {
		Cells [16]string `csv:"c" csv[]:"16"`
	}
	row64 struct {
		Cells [maxColumns]string `csv:"c" csv[]:"64"`
	}
)

func (r *row8) cells() []string  { return r.Cells[:] }
func (r *row16) cells() []string { return r.Cells[:] }
func (r *row64) cells() []string { return r.Cells[:] }

// newRow returns a row that has so many cells.
func newRow(cells int) customerRow {
	switch {
	case cells <= 8:
		return &row8{}
	case cells <= 16:
		return &row16{}
	}
	return &row64{}
}

// cellName is what gocsv calls a cell of a row.
func cellName(i int) string { return "c[" + strconv.Itoa(i) + "]" }
