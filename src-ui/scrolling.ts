/**
 * What xterm.js makes for every line that scrolls, and need not. All of it is garbage at once, and of short lines there
 * are hundreds of thousands in a second: tens of megabytes before anybody collects them.
 */

/** What it does, and what it does instead. */
const CHANGES: [each: string, instead: string][] = [
  // The scroll bar, with a dozen objects: once for each frame is enough.
  [
    "onScroll(()=>this._sync())",
    "onScroll(()=>{this._scrolled??=this._renderService.addRefreshCallback(()=>{this._scrolled=void 0,this._sync()})})",
  ],
  // The event that tells where the screen is.
  [
    "this._onScroll.fire({position:this._bufferService.buffer.ydisp})",
    "(this._scrollEvent??={}).position=this._bufferService.buffer.ydisp,this._onScroll.fire(this._scrollEvent)",
  ],
  // Calls that do nothing once the frame has been asked for; each makes the scope of its callback nevertheless.
  [
    "this._selectionService.refresh(),this._viewport?.queueSync()",
    "this._selectionService._refreshAnimationFrame||this._selectionService.refresh(),this._viewport?._queuedAnimationFrame===void 0&&this._viewport?.queueSync()",
  ],
  // Two empty objects for what the new line does not have.
  [
    ",this._combined={};for(let e in t._combined)",
    ";for(let e in this._combined){this._combined={};break}for(let e in t._combined)",
  ],
  [
    ";this._extendedAttrs={};for(let e in t._extendedAttrs)",
    ";for(let e in this._extendedAttrs){this._extendedAttrs={};break}for(let e in t._extendedAttrs)",
  ],
  // Until there are as many as are kept: a cell of its own, with which the new line of no length fills nothing.
  [
    "clone(){let t=new s(0);t._data=new Uint32Array(this._data)",
    "clone(){let t=new s(0,this);t._data=new Uint32Array(this._data)",
  ],
];

/** The code of xterm.js that scrolls without garbage. */
export function scrollsWithoutGarbage(code: string): string {
  let changed = code;
  for (const [each, instead] of CHANGES) {
    if (changed.split(each).length !== 2)
      throw new Error(`xterm.js does this no longer, or more than once: look again. ${each}`);
    changed = changed.replace(each, () => instead);
  }
  return changed;
}
