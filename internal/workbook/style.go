package workbook

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"tallyman/formats"
)

// The colours, by which nothing alone is said.
const (
	ink    = "1F2933"
	accent = "1F4E5F"
	pale   = "E8EEF1"
	alert  = "FBE3DF"
	mild   = "FFF4D6"
	good   = "E2F2E5"
)

// look is what a cell looks like.
type look struct {
	format string // number format; empty for text
	fill   string
	color  string
	bold   bool
	size   int
	wrap   bool
	right  bool
}

// styles are the looks that a workbook uses; excelize finds equal ones by going through all of them, once per cell if it
// is let.
type styles struct {
	file *excelize.File
	ids  map[look]int
}

// of returns the number of a look.
func (s *styles) of(l look) (int, error) {
	if id, ok := s.ids[l]; ok {
		return id, nil
	}
	style := &excelize.Style{
		Font:      &excelize.Font{Family: "Calibri", Size: 11, Bold: l.bold, Color: ink},
		Alignment: &excelize.Alignment{Vertical: "top", WrapText: l.wrap},
	}
	if l.size > 0 {
		style.Font.Size, style.Alignment.Vertical = float64(l.size), "center" // points, no money
	}
	if l.color != "" {
		style.Font.Color = l.color
	}
	if l.right {
		style.Alignment.Horizontal = "right"
	}
	if l.fill != "" {
		style.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{l.fill}}
	}
	switch {
	case l.format == "@":
		style.NumFmt = 49 // text
		if !l.right {
			// Numbers stand at the right edge of the column before.
			style.Alignment.Horizontal, style.Alignment.Indent = "left", 1
		}
	case l.format != "":
		style.CustomNumFmt = &l.format
	}
	id, err := s.file.NewStyle(style)
	if err != nil {
		return 0, fmt.Errorf("make style: %w", err)
	}
	if s.ids == nil {
		s.ids = map[look]int{}
	}
	s.ids[l] = id
	return id, nil
}

// moneyFormat is the number format of a currency: grouped, with its digits, a minus sign for credit.
func moneyFormat(currency string) string {
	digits, _ := formats.MinorDigits(currency)
	if digits == 0 {
		return "#,##0"
	}
	return "#,##0." + strings.Repeat("0", digits)
}

// The formats of what is no money.
const (
	dateFormat  = "yyyy-mm-dd"
	timeFormat  = "yyyy-mm-dd hh:mm:ss"
	countFormat = "#,##0"
)
