/** The page without any server: `npm run dev:fake`, then `?state=empty`, `?desktop` and the like. */
import { show } from "../app/show";
import { wantedHost } from "../host/fake";

show(wantedHost());
