package workbook

import (
	"errors"
	"fmt"

	"github.com/xuri/excelize/v2"
)

// layOut sets how a sheet is printed, before anything is written to it: on A4, upright and as wide as the paper; or, for a
// table, lying, two pages wide, with the header and the columns that stay on every page. frozen is how many these are, 0 for
// what is no table.
func (b *book) layOut(name string, frozen int) error {
	a4, wide, long, orientation, fit := 9, 1, 0, "portrait", true
	if frozen > 0 {
		wide, orientation = 2, "landscape"
	}
	narrowEdge, foot := 0.4, 0.6 // inches, no money
	errs := []error{
		b.file.SetPageLayout(name, &excelize.PageLayoutOptions{Size: &a4, Orientation: &orientation, FitToWidth: &wide, FitToHeight: &long}),
		b.file.SetPageMargins(name, &excelize.PageLayoutMarginsOptions{Left: &narrowEdge, Right: &narrowEdge, Top: &narrowEdge, Bottom: &foot}),
		b.file.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit}),
		b.file.SetHeaderFooter(name, &excelize.HeaderFooterOptions{OddFooter: "&L&A&RPage &P of &N"}),
	}
	if frozen > 0 {
		last, err := excelize.ColumnNumberToName(frozen)
		errs = append(errs, err, b.file.SetDefinedName(&excelize.DefinedName{
			Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("'%[1]s'!$A:$%[2]s,'%[1]s'!$1:$1", name, last), Scope: name,
		}))
	}
	return errors.Join(errs...)
}
