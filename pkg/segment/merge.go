package segment

import "context"

// Merge appends all records of some segments to w: the small neighbours of one partition, in the order of their offsets, of
// which w is to be the first one's successor and stand for what the last one stands for. It reads and writes piece by
// piece. The caller closes w.
func Merge(ctx context.Context, w *Writer, from ...*Reader) error {
	for _, r := range from {
		for row, err := range r.Rows(ctx, r.f.First) {
			if err != nil {
				return w.fail(err)
			}
			if err := w.AppendRow(*row); err != nil {
				return err
			}
		}
	}
	return nil
}
