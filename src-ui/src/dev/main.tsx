/** The page without any server: `npm run dev:fake`, then `?state=empty` and the like. */
import { show } from "../app/show";
import { fakeHost, wantedState } from "../host/fake";

show(fakeHost(wantedState()));
