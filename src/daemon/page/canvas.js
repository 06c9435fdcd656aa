/** A canvas as wide as what it lies in, drawn as finely as the screen shows it. */
export function sizedCanvas(canvas, height) {
  const width = canvas.parentElement.clientWidth;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  context.font = '12.5px system-ui, sans-serif';
  return { context, width };
}
