/** The page in a browser. */
import { show } from "./app/show";
import { webHost } from "./host/web";

show(webHost());
