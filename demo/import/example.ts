export const EXAMPLE_NAME = 'birds-of-prey.csv';

/** A small table to try the import with; figures are rounded. */
const BIRDS = `name,family,wingspan_cm,migrates,description
Black-winged kite,Kites,85,false,"A small white and grey hawk with red eyes and black shoulders. It hovers over open grassland and drops on mice. Its genus is Elanus."
White-tailed kite,Kites,95,false,"Hovers facing the wind over meadows and farmland of the Americas, hunting voles by day."
Red kite,Kites,180,true,"Soars over hills with a deeply forked rust-red tail that it twists to steer. Eats carrion, worms and small animals."
Swallow-tailed kite,Kites,122,true,"Black and white, with a long forked tail. Catches dragonflies on the wing and eats them without landing."
Snail kite,Kites,110,false,"Lives on marshes and pulls water snails from their shells with a thin hooked bill."
Peregrine falcon,Falcons,105,true,"The fastest animal of all: it dives on pigeons and ducks at more than 300 km/h. Nests on cliffs and on tall buildings in cities."
Gyrfalcon,Falcons,130,false,"The largest falcon, of the Arctic tundra, white or grey. Hunts ptarmigan low over snow."
Common kestrel,Falcons,75,true,"Hangs in the air above road verges and fields, looking for voles, which it sees by their trails."
Eurasian hobby,Falcons,80,true,"Slim and quick enough to catch swallows, swifts and dragonflies in flight; winters in Africa."
Merlin,Falcons,60,true,"The smallest falcon of the north; chases larks and pipits close above the heather."
Golden eagle,Eagles,210,false,"A dark brown hunter of mountains, which takes hares and marmots and defends wide territories."
Bald eagle,Eagles,205,true,"White head, dark body. Fishes in lakes and rivers of North America, and steals fish from others."
White-tailed eagle,Eagles,230,false,"The largest eagle of Europe, like a flying door. Takes fish and waterfowl at coasts and lakes."
Harpy eagle,Eagles,190,false,"Hunts sloths and monkeys among the trees of the rainforest with claws as long as a bear's."
Steller's sea eagle,Eagles,220,true,"Black and white with a huge yellow bill. Winters on sea ice off Japan, where it eats fish."
Osprey,Ospreys,160,true,"Plunges feet first into water for fish and turns them head first to carry them. Found nearly everywhere."
Northern goshawk,Hawks,110,false,"A powerful ambush hunter of forests that weaves between trunks after grouse and squirrels."
Eurasian sparrowhawk,Hawks,65,true,"Surprises small songbirds at garden feeders, flying low along hedges."
Common buzzard,Hawks,125,false,"The brown bird on the fence post: waits for voles and worms, and mews while it circles."
Harris's hawk,Hawks,110,false,"Hunts in families in the desert: some flush the rabbit, others wait. Popular with falconers."
Andean condor,Vultures,310,false,"Black with a white ruff. Glides for hours over mountains without a wing beat, in search of dead animals."
Bearded vulture,Vultures,265,false,"Eats bones: it drops them on rocks until they break, and swallows the pieces."
Griffon vulture,Vultures,260,false,"Breeds in colonies on cliffs and follows others of its kind to a carcass."
Egyptian vulture,Vultures,165,true,"White with a bare yellow face. Breaks eggs by throwing stones at them."
Secretarybird,Secretarybird,205,false,"Walks on crane-like legs through the savanna and stamps snakes to death."
Barn owl,Owls,88,false,"A white heart-shaped face in the dark. Hears mice under grass or snow and flies without a sound."
Snowy owl,Owls,150,true,"White as the tundra it hunts lemmings on, also in daylight."
Eurasian eagle-owl,Owls,170,false,"One of the largest owls, with orange eyes and ear tufts; takes hedgehogs, hares and other owls at night."
`;

export function exampleFile(): File {
  return new File([BIRDS], EXAMPLE_NAME, { type: 'text/csv' });
}
