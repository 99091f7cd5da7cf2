import { crashRing } from '../support/crash-ring.ts';
import { upStories } from '../support/crash-stories-up.ts';

crashRing(upStories, 2);
