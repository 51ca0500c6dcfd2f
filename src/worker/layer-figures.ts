/** The quantization error of a layer, as reports hold it. */
import type { LayerFigures } from '../learn/pipeline';
import type { LayerError } from '../quantize/error-report';

export function layerFigures({ name, kind, sqnrDb, maxError, clipped }: LayerError): LayerFigures {
  return { name, kind, sqnr_db: Number.isFinite(sqnrDb) ? sqnrDb : null, max_error: maxError, clipped };
}
