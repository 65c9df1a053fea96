package record

import "github.com/klauspost/compress/gzip"

func (w *workspace) gunzip(src []byte, limit int) error {
	w.plain = w.plain[:0]
	w.source.Reset(src)
	defer w.source.Reset(nil)
	if w.gzipReader == nil {
		w.gzipReader = new(gzip.Reader)
	}
	if err := w.gzipReader.Reset(&w.source); err != nil {
		return err
	}
	return w.drain(w.gzipReader, limit)
}

func (w *workspace) gzip(dst, src []byte, l Level) ([]byte, error) {
	if err := w.prepareGzip(l); err != nil {
		return nil, err
	}
	w.sink.b = dst
	w.gzipWriter.Reset(&w.sink)
	if _, err := w.gzipWriter.Write(src); err != nil {
		return nil, err
	}
	if err := w.gzipWriter.Close(); err != nil {
		return nil, err
	}
	return w.sink.take(), nil
}

// prepareGzip makes a writer of level l, unless there is one.
func (w *workspace) prepareGzip(l Level) (err error) {
	if w.gzipWriter != nil && w.gzipLevel == l {
		return nil
	}
	level := gzip.DefaultCompression
	if l != 0 {
		level = int(min(max(l, gzip.BestSpeed), gzip.BestCompression))
	}
	w.gzipLevel = l
	w.gzipWriter, err = gzip.NewWriterLevel(&w.sink, level)
	return err
}
