/**
 * What xterm.js makes for every line that scrolls, and need not. Most of it is garbage at once, and of short lines there
 * are hundreds of thousands in a second: tens of megabytes before anybody collects them. What is kept is twelve bytes for
 * each column, of ten thousand lines sixteen megabytes, mostly of nothing.
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
  // Lines of full width. One that leaves the screen is folded where that halves it: its last cell stands for all of the
  // same kind behind it, and its array goes to the line that comes. That one, if it comes round again, gives its room for
  // this, so that no line makes garbage; full width once taken stays, and such lines come as fast as ever.
  [
    "a?r.lines.recycle().copyFrom(n):r.lines.push(n.clone())",
    "a?n.follow(o<l&&r.lines.get(r.ybase),r.lines.recycle()):r.lines.push(n.follow(o<l&&r.lines.get(r.ybase)))",
  ],
  [
    "getTrimmedLength(){",
    `follow(leaving, line = new s(0, this)) {
      const wide = leaving ? leaving._data : [];
      let room = line._data;
      if (room.length < wide.length) {
        let end = wide.length;
        const [content, fg, bg] = [wide[end - 3], wide[end - 2], wide[end - 1]];
        while (end > 3 && wide[end - 6] === content && wide[end - 5] === fg && wide[end - 4] === bg) end -= 3;
        if (end * 2 > wide.length) room = new Uint32Array(wide.length);
        else {
          if (room.length < end) room = new Uint32Array(end);
          for (let at = 0; at < room.length; at += 1) room[at] = wide[at];
          leaving._data = room;
          room = wide;
        }
        line._data = room;
        line.length = leaving.length;
      }
      line.copyFrom(this);
      return line;
    }
    unfold() {
      const wide = new Uint32Array(this.length * 3);
      wide.set(this._data);
      for (let at = this._data.length; at < wide.length; at += 1) wide[at] = wide[at - 3];
      this._data = wide;
    }
    getTrimmedLength(){`,
  ],
  // Whoever asks for a line gets it in its full width.
  [
    "get(e){return this._array[this._getCyclicIndex(e)]}",
    "get(e){const t=this._array[this._getCyclicIndex(e)];return t!==void 0&&t._data.length<t.length*3&&t.unfold(),t}",
  ],
];

/** The code of xterm.js that scrolls with little memory. */
export function scrollsFrugally(code: string): string {
  let changed = code;
  for (const [each, instead] of CHANGES) {
    if (changed.split(each).length !== 2)
      throw new Error(`xterm.js does this no longer, or more than once: look again. ${each}`);
    changed = changed.replace(each, () => instead);
  }
  return changed;
}
